using System.Security.Cryptography;
using Google.Protobuf;
using Skep.Agent.Session;
using Skep.Model.Errors;
using Skep.Protocol.Node;
using Skep.Rpc;

namespace Skep.Daemon.Swarm;

/// <summary>
/// Renews the node's certificate somewhere between half and four fifths of its life, so that the nodes of a swarm do not all
/// come at once, and tries again while it fails.
/// </summary>
internal sealed class CertificateRenewal(NodeIdentity identity, SessionPeers peers, TimeProvider clock, ILogger log)
{
    private static readonly TimeSpan s_longestSleep = TimeSpan.FromDays(20);
    private static readonly TimeSpan s_longestRetry = TimeSpan.FromHours(1);

    public async Task RunAsync(CancellationToken stopping)
    {
        var retry = TimeSpan.FromSeconds(10);
        while (true)
        {
            await SleepUntilAsync(identity.NotBefore + ((identity.NotAfter - identity.NotBefore) * (0.5 + (RandomNumberGenerator.GetInt32(300) / 1000.0))), stopping);
            try
            {
                await RenewAsync(stopping);
                retry = TimeSpan.FromSeconds(10);
                log.CertificateRenewed(identity.NotAfter);
            }
            catch (Exception e) when (e is RpcException or HttpRequestException or IOException or ClusterException)
            {
                log.RenewalFailed(e.Message);
                await Task.Delay(retry, clock, stopping);
                retry = retry * 2 < s_longestRetry ? retry * 2 : s_longestRetry;
            }
        }
    }

    private async Task SleepUntilAsync(DateTimeOffset due, CancellationToken stopping)
    {
        while (due - clock.GetUtcNow() is { Ticks: > 0 } left)
        {
            // Timers are bounded, and a machine's clock may be set while it sleeps.
            await Task.Delay(left < s_longestSleep ? left : s_longestSleep, clock, stopping);
        }
    }

    private async Task RenewAsync(CancellationToken stopping)
    {
        var (request, keyPem) = NodeIdentity.NewKey();
        await using var channel = peers.Connect();
        var answer = await channel.UnaryAsync(NodeMethods.Renew, new RenewRequest { CertificateRequest = ByteString.CopyFrom(request) }, stopping);
        identity.Renew(answer.Certificates, keyPem);
    }
}

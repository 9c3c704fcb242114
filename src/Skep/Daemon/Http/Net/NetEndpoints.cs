using Skep.Daemon.Http.Infrastructure;
using Skep.EngineApi.Net;

namespace Skep.Daemon.Http.Net;

/// <summary>What Docker's API has no place for. A part of the network that has something to show adds a section here.</summary>
internal static class NetEndpoints
{
    public static void MapNet(this IEndpointRouteBuilder routes, EngineServices services)
    {
        var network = services.Network;
        Func<NetStatusSection?>[] sections =
        [
            () => NodeSection.Of(network.AppliedRevision.Value, network.Repairs?.Total ?? 0, network.EjectionCounts, network.SocketBalancing),
            () => PathSection.Of(network.DescribePaths()),
            () => FirewallSection.Of(network.DescribeBlocked()),
            () => EjectedSection.Of(network.DescribeEjected()),
            () => RelaySection.Of(network.DescribeRelay()),
            () => RepairSections.Counts(network.Repairs?.Counts ?? []),
            () => RepairSections.Last(network.Repairs?.Last ?? []),
            () => EncryptionSection.Of(network.EncryptedNetworks(), services.Clock.GetUtcNow()),
        ];
        routes.MapGet("/skep/net/status", (RequestDelegate)(context => context.WriteJsonAsync(
            new NetStatus(services.Swarm.Membership.State == "inactive" ? [] : [.. sections.Select(section => section()).OfType<NetStatusSection>()]),
            NetStatusJson.Default.NetStatus)));
    }
}

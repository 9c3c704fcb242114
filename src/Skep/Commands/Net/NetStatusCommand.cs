using System.CommandLine;
using System.Net.Sockets;
using System.Text.Json;
using Skep.Daemon;
using Skep.EngineApi.Net;
using Skep.Model.Errors;
using Skep.Output;

namespace Skep.Commands.Net;

internal static class NetStatusCommand
{
    public static Command Create()
    {
        var socket = new Option<string>("--socket") { Description = "The daemon's socket", DefaultValueFactory = _ => new DaemonOptions().Socket };
        var format = new Option<string>("--format") { Description = "table or json", DefaultValueFactory = _ => "table" };
        var command = new Command("status", "This node's network: applied revision, ways to other nodes, what other firewalls cut off, backends left out, repairs, encrypted networks.") { socket, format };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var status = await AskAsync(parsed.GetValue(socket)!, cancellationToken);
            var output = parsed.InvocationConfiguration.Output;
            await output.WriteAsync(parsed.GetValue(format) switch
            {
                "json" => JsonSerializer.Serialize(status, NetStatusJson.Default.NetStatus) + "\n",
                "table" => Render(status),
                var other => throw ClusterException.Invalid($"--format is '{other}'; it can be table or json."),
            });
            return ExitCode.Ok;
        });
        return command;
    }

    internal static string Render(NetStatus status) => status.Sections.Count == 0
        ? "nothing to tell: this node is not part of a swarm\n"
        : string.Join('\n', status.Sections.Select(s => $"{s.Title}\n{PlainTable.Render(s.Columns, s.Rows)}"));

    private static async Task<NetStatus> AskAsync(string path, CancellationToken cancellationToken)
    {
        using var handler = new SocketsHttpHandler
        {
            ConnectCallback = async (_, token) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                try
                {
                    await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), token);
                    return new NetworkStream(socket, ownsSocket: true);
                }
                catch
                {
                    socket.Dispose();
                    throw;
                }
            },
        };
        using var client = new HttpClient(handler) { BaseAddress = new Uri("http://engine") };
        try
        {
            return await client.GetFromJsonAsync("/skep/net/status", NetStatusJson.Default.NetStatus, cancellationToken)
                ?? throw new ClusterException(ErrorKind.Internal, "the daemon's answer is empty");
        }
        catch (HttpRequestException unreachable)
        {
            throw new ClusterException(ErrorKind.Unavailable, $"no daemon answers at {path}: {unreachable.Message}");
        }
    }
}

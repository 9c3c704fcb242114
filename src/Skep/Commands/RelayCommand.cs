using System.CommandLine;
using Skep.Kernel.Namespaces;
using Skep.Network.Relays;
using Skep.Output;

namespace Skep.Commands;

/// <summary>The process between clients and tasks that want PROXY headers. The daemon starts it, in the network namespace ingress_sbox; people have no use for it.</summary>
internal static class RelayCommand
{
    public static Command Create()
    {
        var port = new Option<ushort>("--port") { Description = "Where ingress_sbox sends it connections", DefaultValueFactory = _ => new RelayOptions().Port };
        var host = new Option<string>("--host") { Description = "The host's network namespace, whose rules know what was dialled", Required = true };
        var command = new Command("relay", "Tell tasks their clients by PROXY headers; started by the daemon.") { port, host };
        command.Hidden = true;
        command.SetAction(async (parsed, stopping) =>
        {
            using var logging = LoggerFactory.Create(builder => builder.SetMinimumLevel(LogLevel.Information).AddProvider(new ChildLoggerProvider(parsed.InvocationConfiguration.Error)));
            using var home = NetworkNamespace.Open(parsed.GetValue(host)!);
            using var flows = new HostFlows(home);
            await new Relay(new RelayOptions { Port = parsed.GetValue(port) }, flows, logging.CreateLogger<Relay>()).RunAsync(stopping);
            return ExitCode.Ok;
        });
        return command;
    }
}

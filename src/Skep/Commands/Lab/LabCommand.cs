using System.CommandLine;

namespace Skep.Commands.Lab;

internal static class LabCommand
{
    public static Command Create() => new("lab", "Machines in namespaces on this one, each with a real daemon.")
    {
        LabUpCommand.Create(),
        LabDownCommand.Create(),
        LabListCommand.Create(),
        LabExecCommand.Create(),
        LabKillCommand.Create(),
        LabArguments.NodeVerb(
            "start", "Switch a machine on again, or start its daemon when only that is dead.",
            (lab, node, _, cancellationToken) => lab.StartAsync(node, cancellationToken)),
        LabArguments.NodeVerb(
            "cut", "Pull a machine's network cable.",
            (lab, node, _, cancellationToken) => lab.SetCableAsync(node, plugged: false, cancellationToken)),
        LabArguments.NodeVerb(
            "heal", "Plug a machine's network cable in again.",
            (lab, node, _, cancellationToken) => lab.SetCableAsync(node, plugged: true, cancellationToken)),
        LabLogsCommand.Create(),
    };
}

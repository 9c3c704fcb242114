using System.CommandLine;

namespace Skep.Commands.Lab;

internal static class LabKillCommand
{
    public static Command Create()
    {
        var daemonOnly = new Option<bool>("--daemon-only") { Description = "kill -9 of the daemon alone; its tasks stay" };
        return LabArguments.NodeVerb(
            "kill", "Cut a machine's power: every process of it ends at once.",
            (lab, node, parsed, cancellationToken) => lab.KillAsync(node, parsed.GetValue(daemonOnly), cancellationToken), daemonOnly);
    }
}

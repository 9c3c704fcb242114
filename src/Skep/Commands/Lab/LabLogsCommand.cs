using System.CommandLine;
using Skep.Lab;
using Skep.Model.Errors;

namespace Skep.Commands.Lab;

internal static class LabLogsCommand
{
    public static Command Create()
    {
        var follow = new Option<bool>("--follow", "-f") { Description = "Go on with what is logged from now on" };
        return LabArguments.NodeVerb(
            "logs", "Print what a machine's daemon has logged.",
            (lab, node, parsed, cancellationToken) => PrintAsync(lab.Machine(node), parsed.GetValue(follow), cancellationToken), follow);
    }

    private static async Task PrintAsync(Machine machine, bool follow, CancellationToken cancellationToken)
    {
        if (!File.Exists(machine.Log))
        {
            throw new ClusterException(ErrorKind.NotFound, $"The daemon of {machine.Name} has logged nothing yet.");
        }

        await using var output = Console.OpenStandardOutput();
        await using var log = new FileStream(machine.Log, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        using var changed = new SemaphoreSlim(0);
        using var watcher = new FileSystemWatcher(machine.Folder, Path.GetFileName(machine.Log));
        watcher.Changed += (_, _) => changed.Release();
        watcher.EnableRaisingEvents = follow;
        await log.CopyToAsync(output, cancellationToken);
        while (follow)
        {
            await output.FlushAsync(cancellationToken);
            await changed.WaitAsync(cancellationToken);
            await log.CopyToAsync(output, cancellationToken);
        }
    }
}

using System.CommandLine;

namespace Skep.Commands.Lab;

internal static class LabDownCommand
{
    public static Command Create()
    {
        var name = LabArguments.Name();
        var keep = new Option<bool>("--keep") { Description = "Keep the machines' data for the next lab of this name" };
        var command = new Command("down", "Remove a lab and everything it left behind, whatever state it is in.") { name, keep };
        command.SetAction((parsed, cancellationToken) => Privileged.RunAsync(
            () => LabArguments.Engine(parsed.GetValue(name)!).DownAsync(parsed.GetValue(keep), cancellationToken)));
        return command;
    }
}

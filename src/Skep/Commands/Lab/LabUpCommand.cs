using System.CommandLine;
using Skep.Lab;
using Skep.Model.Errors;

namespace Skep.Commands.Lab;

internal static class LabUpCommand
{
    // 10.77.K.1 and up; .254 is the host.
    private const int MostNodes = 200;

    public static Command Create()
    {
        var name = LabArguments.Name();
        var nodes = new Option<int>("--nodes") { Description = "How many machines", DefaultValueFactory = _ => 3 };
        var noSwarm = new Option<bool>("--no-swarm") { Description = "Leave it to the user to form a swarm" };
        var data = new Option<string?>("--data") { Description = $"Folder for the machines' data [{LabPlace.Root}/<name>/data]" };
        var daemon = new Option<string?>("--daemon-command") { Description = "Run this instead of the daemon (tests)", Hidden = true };
        var command = new Command("up", "Make a lab: machines with a daemon each, joined into one swarm.") { nodes, noSwarm, name, data, daemon };
        command.SetAction((parsed, cancellationToken) => Privileged.RunAsync(async () =>
        {
            var count = parsed.GetValue(nodes);
            if (count is < 1 or > MostNodes)
            {
                throw ClusterException.Invalid($"--nodes is {count}; a lab has 1 to {MostNodes} machines.");
            }

            string[] instead = parsed.GetValue(daemon)?.Split(' ', StringSplitOptions.RemoveEmptyEntries) ?? [];
            var wish = new LabWish(count, !parsed.GetValue(noSwarm), parsed.GetValue(data), instead);
            await LabArguments.Engine(parsed.GetValue(name)!).UpAsync(wish, cancellationToken);
        }));
        return command;
    }
}

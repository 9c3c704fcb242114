using System.CommandLine;
using System.Text.Json;
using Skep.Lab;
using Skep.Model.Errors;
using Skep.Output;

namespace Skep.Commands.Lab;

internal static class LabListCommand
{
    public static Command Create()
    {
        var name = new Option<string?>("--name") { Description = "Only this lab [all of them]" };
        var format = LabArguments.Format();
        var command = new Command("ls", "List machines: address, docker socket and state.") { name, format };
        command.SetAction((parsed, cancellationToken) => Privileged.RunAsync(async () =>
        {
            var rows = await RowsAsync(parsed.GetValue(name), cancellationToken);
            var output = parsed.InvocationConfiguration.Output;
            switch (parsed.GetValue(format))
            {
                case "json":
                    await output.WriteLineAsync(JsonSerializer.Serialize(rows, LabRowJson.Default.IReadOnlyListLabRow));
                    break;
                case "table":
                    await output.WriteAsync(Render(rows));
                    break;
                case var other:
                    throw ClusterException.Invalid($"--format is '{other}'; it can be table or json.");
            }
        }));
        return command;
    }

    internal static string Render(IReadOnlyList<LabRow> rows) => PlainTable.Render(
        ["LAB", "NODE", "ADDRESS", "SOCKET", "PID", "STATE"],
        [.. rows.Select(row => new[] { row.Lab, row.Node, row.Address, row.Socket, row.Pid == 0 ? "-" : $"{row.Pid}", row.State })]);

    private static async Task<IReadOnlyList<LabRow>> RowsAsync(string? name, CancellationToken cancellationToken)
    {
        List<LabPlace> places = name is null ? [.. LabEngine.All().OrderBy(place => place.Name, StringComparer.Ordinal)] : [new LabPlace(name)];
        var rows = new List<LabRow>();
        foreach (var place in places)
        {
            // A lab that goes down meanwhile is no error of a list of all.
            if ((name is null ? LabState.Read(place) : LabState.Require(place)) is not { } state)
            {
                continue;
            }

            for (var node = 1; node <= state.Nodes; node++)
            {
                var machine = new Machine(place, state, node);
                var life = await StateAsync(place, machine, cancellationToken);
                rows.Add(new LabRow(place.Name, machine.Name, machine.Address, machine.Socket, machine.Init?.Id ?? 0, life));
            }
        }

        return rows;
    }

    private static async Task<string> StateAsync(LabPlace place, Machine machine, CancellationToken cancellationToken) => machine switch
    {
        { Init: null } => "off",
        { Daemon: null } => "daemon down",
        _ => await LabSwitch.IsPluggedAsync(place, machine.Number, cancellationToken) ? "up" : "cut",
    };
}

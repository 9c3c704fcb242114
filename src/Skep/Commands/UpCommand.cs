using System.CommandLine;
using Skep.Commands.Lab;
using Skep.Lab;
using Spectre.Console;

namespace Skep.Commands;

internal static class UpCommand
{
    private const int Nodes = 3;

    public static Command Create()
    {
        var name = LabArguments.Name();
        var command = new Command("up", "A swarm of three machines with a demo service, on this machine, ready to try.") { name };
        command.SetAction((parsed, cancellationToken) => Privileged.RunAsync(async () =>
        {
            var lab = LabArguments.Engine(parsed.GetValue(name)!);
            await lab.UpAsync(new LabWish(Nodes, Swarm: true, Data: null, DaemonCommand: []), cancellationToken);
            var machines = lab.Machines(lab.State);
            await DemoStack.DeployAsync(machines, Talk.Step, TimeProvider.System, cancellationToken);
            Talk.Show(WhatNext(machines, parsed.GetValue(name)!));
        }));
        return command;
    }

    private static Table WhatNext(IReadOnlyList<Machine> machines, string name)
    {
        var option = name == "lab" ? "" : $"--name {name} ";
        var table = new Table { Border = TableBorder.Rounded };
        table.AddColumn("Try").AddColumn("to see");
        Row($"curl http://{machines[1].Address}:{DemoStack.Port}/cgi-bin/whoami", "the tasks answer in turn, whichever machine is asked");
        Row($"curl http://{machines[1].Address}:{DemoStack.Port}/cgi-bin/client", "the task sees your own address");
        Row($"./skep lab exec {option}1 -- docker node ls", "the swarm's nodes");
        Row($"./skep lab exec {option}1 -- docker service ps {DemoStack.Service}", "the tasks and where they run");
        Row($"./skep lab exec {option}1 -- docker service scale {DemoStack.Service}=6", "more of them");
        Row($"./skep lab exec {option}1 -- docker service logs -f {DemoStack.Service}", "who serves what");
        Row($"./skep lab kill {option}3", "a power loss: node3's tasks come up elsewhere");
        Row($"export DOCKER_HOST=unix://{machines[0].Socket}", "docker in this shell speaks to node1");
        Row($"./skep lab down {option}".TrimEnd(), "everything gone again");
        return table;

        void Row(string command, string purpose) => table.AddRow(Markup.Escape(command), Markup.Escape(purpose));
    }
}

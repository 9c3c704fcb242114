using System.CommandLine;

namespace Skep.Commands;

/// <summary>The launcher runs the bench, since it is built from sources; the built program only explains the verb.</summary>
internal static class BenchCommand
{
    public static Command Create()
    {
        var rows = new Argument<string[]>("row")
        {
            Description = "Which groups of rows, such as scale, start, names or memory; all of them when none is named.",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var command = new Command("bench", "Measure Skep, and beside it a Docker Swarm where docker.io is installed; prints a table.")
        {
            rows,
            new Option<bool>("--no-peer") { Description = "Leave the Docker Swarm out" },
            new Option<string>("--lab") { Description = "Name of our lab, as --lab=NAME; the Docker Swarm's is NAME-peer", DefaultValueFactory = _ => "bench" },
            new Option<bool>("--keep") { Description = "Leave the labs up, for the next run" },
        };
        command.SetAction(parsed =>
        {
            parsed.InvocationConfiguration.Error.WriteLine("skep: 'bench' builds from sources; run it as ./skep bench from a clone of the project.");
            return ExitCode.Usage;
        });
        return command;
    }
}

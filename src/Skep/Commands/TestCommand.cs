using System.CommandLine;

namespace Skep.Commands;

/// <summary>The launcher runs the suites, since they are built from sources; the built program only explains the verb.</summary>
internal static class TestCommand
{
    public static Command Create()
    {
        var suites = new Argument<string[]>("suite")
        {
            Description = "UnitTests, SimulationTests, KernelTests, ClassicTests or EndToEndTests; all of them when none is named.",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var command = new Command("test", "Build and run the test suites; the last line is 'N passed, N failed'.") { suites };
        command.SetAction(parsed =>
        {
            parsed.InvocationConfiguration.Error.WriteLine("skep: 'test' builds from sources; run it as ./skep test from a clone of the project.");
            return ExitCode.Usage;
        });
        return command;
    }
}

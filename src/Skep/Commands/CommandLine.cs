using System.CommandLine;
using Skep.Commands.Lab;
using Skep.Commands.Net;
using Skep.Model.Errors;

namespace Skep.Commands;

/// <summary>The tree of verbs. Data goes to stdout, talk to stderr, and each way to end has a name in <see cref="ExitCode"/>.</summary>
internal static class CommandLine
{
    public static async Task<int> RunAsync(string[] args)
    {
        Talk.Begin();
        var root = Build();
        string[] words = args is ["help", .. var verb] ? [.. verb, "--help"] : args.Length == 0 ? ["--help"] : args;
        var parsed = root.Parse(words);
        if (parsed.Errors.Count > 0)
        {
            foreach (var error in parsed.Errors)
            {
                await Console.Error.WriteLineAsync($"skep: {error.Message}");
            }

            await Console.Error.WriteLineAsync($"Type './skep help{VerbOf(parsed)}' for what it takes.");
            return ExitCode.Usage;
        }

        // Exceptions are told here, in one sentence each; a signal gets the time that an orderly stop of the daemon needs.
        var configuration = new InvocationConfiguration
        {
            EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = TimeSpan.FromMinutes(1),
        };
        try
        {
            return await parsed.InvokeAsync(configuration, CancellationToken.None);
        }
        catch (ClusterException refusal)
        {
            await Console.Error.WriteLineAsync($"skep: {refusal.Message}");
            return refusal.Kind == ErrorKind.InvalidArgument ? ExitCode.Usage : ExitCode.Failed;
        }
        catch (Exception outside) when (outside is IOException or UnauthorizedAccessException or System.ComponentModel.Win32Exception)
        {
            await Console.Error.WriteLineAsync($"skep: {outside.Message}");
            return ExitCode.Failed;
        }
        catch (OperationCanceledException)
        {
            await Console.Error.WriteLineAsync("skep: interrupted");
            return ExitCode.Interrupted;
        }
    }

    internal static RootCommand Build() => new("Skep: a container swarm, driven by the docker command line.")
    {
        UpCommand.Create(),
        LabCommand.Create(),
        NetCommand.Create(),
        DaemonCommand.Create(),
        RelayCommand.Create(),
        TestCommand.Create(),
        BenchCommand.Create(),
        VersionCommand.Create(),
        HelpCommand(),
    };

    private static Command HelpCommand()
    {
        // Answered before parsing; it stands here so that the list of verbs names it.
        return new Command("help", "Show what a verb does: help [verb…].");
    }

    private static string VerbOf(ParseResult parsed)
    {
        var path = new List<string>();
        for (var result = parsed.CommandResult; result is { Command: not RootCommand }; result = result.Parent as System.CommandLine.Parsing.CommandResult)
        {
            path.Insert(0, result.Command.Name);
        }

        return string.Concat(path.Select(word => ' ' + word));
    }
}

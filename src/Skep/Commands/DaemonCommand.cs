using System.CommandLine;
using Skep.Daemon;
using Skep.Model.Errors;

namespace Skep.Commands;

/// <summary>Gathers the daemon's options from file, environment and flags and hands over to <see cref="DaemonHost"/>.</summary>
internal static class DaemonCommand
{
    public static Command Create()
    {
        var file = new Option<string?>("--config-file") { Description = $"Configuration file [{DaemonConfiguration.DefaultFile}, where it exists]" };
        var check = new Option<bool>("--validate") { Description = "Check the configuration and exit" };
        var command = new Command("daemon", "Run the daemon of this machine. Each flag can also be SKEP_… in the environment or a key of the file.")
        {
            file,
            check,
        };
        var flags = new Dictionary<string, Option<string[]>>(StringComparer.Ordinal);
        foreach (var setting in DaemonSettings.All)
        {
            var flag = new Option<string[]>(setting.Flag) { Description = setting.Help, Arity = ArgumentArity.OneOrMore };
            flags[setting.Name] = flag;
            command.Add(flag);
        }

        command.SetAction(async (parsed, stopping) =>
        {
            var given = flags.ToDictionary(
                pair => pair.Key, pair => (IReadOnlyList<string>)(parsed.GetValue(pair.Value) ?? []), StringComparer.Ordinal);
            var options = Load(parsed.GetValue(file) ?? Environment.GetEnvironmentVariable("SKEP_CONFIG_FILE"), given);
            if (parsed.GetValue(check))
            {
                await parsed.InvocationConfiguration.Error.WriteLineAsync("The configuration is valid.");
                return ExitCode.Ok;
            }

            if (!Environment.IsPrivilegedProcess)
            {
                await parsed.InvocationConfiguration.Error.WriteLineAsync("skep: the daemon needs root: it makes namespaces, mounts and packet rules.");
                return ExitCode.NotRoot;
            }

            await DaemonHost.RunAsync(options, stopping);
            return ExitCode.Ok;
        });
        return command;
    }

    private static DaemonOptions Load(string? named, Dictionary<string, IReadOnlyList<string>> flags)
    {
        var file = named ?? DaemonConfiguration.DefaultFile;
        string? text = null;
        try
        {
            text = File.ReadAllText(file);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // The default file need not be there; one that was asked for must.
            if (named is not null || error is not (FileNotFoundException or DirectoryNotFoundException))
            {
                throw new ClusterException(ErrorKind.InvalidArgument, $"The configuration file {file} cannot be read: {error.Message}", error);
            }
        }

        return DaemonConfiguration.Load(text, file, Environment.GetEnvironmentVariable, flags);
    }
}

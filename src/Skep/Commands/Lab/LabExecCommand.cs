using System.Collections;
using System.CommandLine;
using Skep.Lab;

namespace Skep.Commands.Lab;

/// <summary>
/// Becomes <c>nsenter</c> into the machine, so that the terminal, the streams and the exit status are the command's own. The launcher
/// does the same without starting this program where it can; this is the way with all the checks.
/// </summary>
internal static class LabExecCommand
{
    // What would lead a docker CLI in the machine to another engine than the machine's own.
    private static readonly HashSet<string> s_hidden = new(StringComparer.Ordinal)
    {
        "DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH",
    };

    public static Command Create()
    {
        var (name, node) = (LabArguments.Name(), LabArguments.Node());
        var words = new Argument<string[]>("command") { Description = "The command and its arguments, after --", Arity = ArgumentArity.OneOrMore };
        var command = new Command("exec", "Run a command inside a machine: lab exec 2 -- docker ps.") { node, words, name };
        command.SetAction(parsed =>
        {
            if (!Environment.IsPrivilegedProcess)
            {
                parsed.InvocationConfiguration.Error.WriteLine("skep: this needs root. Type: sudo ./skep lab exec …");
                return ExitCode.NotRoot;
            }

            var number = parsed.GetValue(node);
            var machine = LabArguments.Engine(parsed.GetValue(name)!).Machine(number);
            if (machine.Init is not { } init)
            {
                parsed.InvocationConfiguration.Error.WriteLine($"skep: {machine.Name} is off. Start it with: ./skep lab start {number}");
                return ExitCode.ExecFailed;
            }

            Enter(machine, init, parsed.GetValue(words)!);
            parsed.InvocationConfiguration.Error.WriteLine("skep: nsenter cannot be run; it is in Debian's package util-linux.");
            return ExitCode.ExecFailed;
        });
        return command;
    }

    private static void Enter(Machine machine, ProcessHandle init, IReadOnlyList<string> words)
    {
        foreach (var group in File.ReadLines($"{machine.Folder}/cgroups"))
        {
            File.WriteAllText(group, $"{Environment.ProcessId}");
        }

        var here = Environment.CurrentDirectory;
        if (!Directory.Exists($"/proc/{init.Id}/root{here}"))
        {
            here = "/";
        }

        // Should nsenter be killed, the command hears of it by SIGTERM.
        LibC.Execute(
            "/usr/bin/nsenter",
            [
                "--target", $"{init.Id}", "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", $"--wdns={here}", "--",
                "setpriv", "--pdeathsig", "TERM", "--", .. words,
            ],
            [
                .. Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
                    .Where(variable => !s_hidden.Contains((string)variable.Key))
                    .Select(variable => $"{variable.Key}={variable.Value}"),
            ]);
    }
}

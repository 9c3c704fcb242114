using System.ComponentModel;
using System.Diagnostics;
using Skep.Kernel.Namespaces;

namespace Skep.Kernel.Iptables;

/// <summary>
/// The IPv4 rules of one namespace through iptables-save(8) and iptables-restore(8): one process for a reading, one for any number of
/// changes. Which of the two iptables (nft or legacy) is the machine's choice.
/// </summary>
public sealed class IptablesTool(NetworkNamespace ns)
{
    /// <summary>Every rule that is there, as <c>iptables-save</c> prints it: by table, chain and order.</summary>
    public async Task<IReadOnlyList<(string Table, string Chain, string Rule)>> ReadAsync(CancellationToken cancellationToken)
    {
        var rules = new List<(string, string, string)>();
        var table = "";
        foreach (var line in (await RunAsync("iptables-save", [], "", cancellationToken)).Split('\n'))
        {
            if (line.StartsWith('*'))
            {
                table = line[1..].Trim();
            }
            else if (line.StartsWith("-A ", StringComparison.Ordinal) && line.Split(' ', 3) is [_, var chain, .. var rest])
            {
                rules.Add((table, chain, rest.Length == 0 ? "" : rest[0].Trim()));
            }
            else if (line.StartsWith(':') && line[1..].Split(' ', 2) is [var declared, _])
            {
                // A chain without rules is there as well.
                rules.Add((table, declared, ""));
            }
        }

        return rules;
    }

    /// <summary>Applies a script in the form of iptables-restore; tables that it names change in one step each, nothing else is flushed.</summary>
    public Task RestoreAsync(string script, CancellationToken cancellationToken) =>
        RunAsync("iptables-restore", ["--noflush", "--wait", "5"], script, cancellationToken);

    private async Task<string> RunAsync(string program, IReadOnlyList<string> arguments, string input, CancellationToken cancellationToken)
    {
        // The child enters the namespace by itself: a process that is started from a thread inside could leave a thread of the runtime there.
        var start = new ProcessStartInfo("nsenter", [$"--net={ns.Origin}", "--", program, .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        try
        {
            using var process = Process.Start(start) ?? throw new IptablesException($"{program} did not start");
            var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
            var error = process.StandardError.ReadToEndAsync(cancellationToken);
            await process.StandardInput.WriteAsync(input.AsMemory(), cancellationToken);
            process.StandardInput.Close();
            await process.WaitForExitAsync(cancellationToken);
            return process.ExitCode == 0 ? await output : throw new IptablesException($"{program}: {(await error).Trim()}");
        }
        catch (Win32Exception missing)
        {
            throw new IptablesException($"{program} could not be run: {missing.Message}. The classic data plane needs the packages iptables and util-linux.", missing);
        }
    }
}

using System.Diagnostics;
using System.Globalization;
using Skep.Model.Errors;

namespace Skep.Lab;

/// <summary>One machine: its first process (which holds its namespaces) and its daemon, each found through a file in its folder.</summary>
internal sealed class Machine(LabPlace place, LabState state, int number)
{
    private static readonly string s_script = Path.Combine(AppContext.BaseDirectory, "machine.sh");

    public int Number => number;

    public string Name { get; } = string.Create(CultureInfo.InvariantCulture, $"node{number}");

    public string Address => state.AddressOf(number);

    public string Folder { get; } = place.NodeFolder(number);

    /// <summary>The docker socket as seen from outside: a link through the machine's first process into its /run.</summary>
    public string Socket => $"{place.RunFolder}/{Name}.sock";

    public string Log => $"{Folder}/daemon.log";

    public string Cgroup => $"{place.Cgroup}/{Name}";

    private string Data => $"{state.Data}/{Name}";

    public ProcessHandle? Init => ProcessHandle.Read($"{Folder}/machine") is { IsAlive: true } init ? init : null;

    public ProcessHandle? Daemon => Init is not null && ProcessHandle.Read($"{Folder}/daemon") is { IsAlive: true } daemon ? daemon : null;

    /// <summary>Makes the namespaces and everything in them up to a machine that runs nothing yet.</summary>
    public async Task BootAsync(TimeProvider clock, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(Folder);
        Directory.CreateDirectory(Data);
        Directory.CreateDirectory(place.RunFolder);
        File.Delete($"{Folder}/machine");
        File.Delete($"{Folder}/daemon");
        await File.WriteAllTextAsync($"{Folder}/hostname", Name + "\n", cancellationToken);
        await File.WriteAllTextAsync($"{Folder}/hosts", Hosts(), cancellationToken);
        // What a machine that died leaves: cgroups that may refuse a new one, and a cable end.
        await LabCgroups.RemoveAsync(Cgroup, clock, cancellationToken);
        await LabSwitch.UnplugAsync(place, number, cancellationToken);
        await RunInitAsync(cancellationToken);
        File.Delete(Socket);
        File.CreateSymbolicLink(Socket, $"/proc/{Init!.Value.Id}/root/run/docker.sock");
    }

    /// <summary>Starts the daemon; it is on its way when this returns, see <see cref="Readiness"/>.</summary>
    public async Task StartDaemonAsync(CancellationToken cancellationToken)
    {
        var init = Init ?? throw new ClusterException(ErrorKind.FailedPrecondition, $"{Name} is off.");
        var printed = await Tool.RunAsync(
            "/bin/bash", [s_script, "daemon", .. DaemonCommand()], "", cancellationToken, Environment());
        var inside = int.Parse(printed, CultureInfo.InvariantCulture);

        // The id that the machine knows it by is the last of NSpid in the status of one of the first process's children.
        var children = await File.ReadAllTextAsync($"/proc/{init.Id}/task/{init.Id}/children", cancellationToken);
        foreach (var child in children.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (IdInside(child) == inside && ProcessHandle.Find(int.Parse(child, CultureInfo.InvariantCulture)) is { } daemon)
            {
                daemon.Write($"{Folder}/daemon");
                return;
            }
        }

        throw new ClusterException(ErrorKind.Internal, $"The daemon of {Name} ended at once. {TailOfLog()}");
    }

    /// <summary>Power loss: the kernel ends every process of the PID namespace with its first one. False when it was off.</summary>
    public async Task<bool> KillAsync(TimeProvider clock, CancellationToken cancellationToken)
    {
        var was = ProcessHandle.Read($"{Folder}/machine") is { } init && await init.KillAsync(cancellationToken);
        await LabCgroups.RemoveAsync(Cgroup, clock, cancellationToken);
        await LabSwitch.UnplugAsync(place, number, cancellationToken);
        // An `up` that failed early has no folder for its last machines.
        if (Directory.Exists(Folder))
        {
            File.Delete($"{Folder}/machine");
            File.Delete($"{Folder}/daemon");
        }

        return was;
    }

    public string TailOfLog()
    {
        try
        {
            var lines = File.ReadLines(Log).TakeLast(8).ToList();
            return lines.Count == 0 ? $"It logged nothing to {Log}." : $"The end of {Log}:\n{string.Join('\n', lines)}";
        }
        catch (IOException)
        {
            return $"There is no {Log}.";
        }
    }

    private async Task RunInitAsync(CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo("/bin/bash", [s_script, "boot"]) { RedirectStandardOutput = true };
        foreach (var (name, value) in Environment())
        {
            start.Environment[name] = value;
        }

        // The process stays behind as the parent of the machine's first one; only its first line is awaited.
        using var process = Process.Start(start)!;
        var line = await process.StandardOutput.ReadLineAsync(cancellationToken);
        if (line != "ready")
        {
            var log = await File.ReadAllTextAsync($"{Folder}/init.log", cancellationToken);
            throw new ClusterException(ErrorKind.Internal, $"{Name} did not boot: {log.Trim()}");
        }
    }

    private IReadOnlyList<string> DaemonCommand()
    {
        if (state.DaemonCommand.Count > 0)
        {
            return state.DaemonCommand;
        }

        var program = System.Environment.ProcessPath!;
        return Path.GetFileNameWithoutExtension(program) == "dotnet"
            ? [program, typeof(Machine).Assembly.Location, "daemon"]
            : [program, "daemon"];
    }

    private Dictionary<string, string> Environment() => new(StringComparer.Ordinal)
    {
        ["M_SCRIPT"] = s_script,
        ["M_DIR"] = Folder,
        ["M_DATA"] = Data,
        ["M_HOSTNAME"] = Name,
        ["M_SWITCH"] = place.Switch,
        ["M_ADDRESS"] = $"{Address}/24",
        ["M_ADDRESS6"] = $"{state.Address6Of(number)}/64",
        ["M_CGROUP"] = Cgroup,
    };

    private string Hosts()
    {
        var others = Enumerable.Range(1, state.Nodes).Select(node => $"{state.AddressOf(node)} node{node}\n");
        return "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n" + string.Concat(others);
    }

    private static int IdInside(string id)
    {
        try
        {
            var line = File.ReadLines($"/proc/{id}/status").FirstOrDefault(line => line.StartsWith("NSpid:", StringComparison.Ordinal));
            return line is null ? 0 : int.Parse(line.Split('\t')[^1], CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return 0;
        }
    }
}

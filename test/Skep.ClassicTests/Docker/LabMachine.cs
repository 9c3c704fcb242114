using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Skep.ClassicTests.Uml;

namespace Skep.ClassicTests.Docker;

/// <summary>
/// User-Mode Linux with the lab in it: three machines, each with the real daemon, containerd and, on the manager, etcd. What is typed
/// there and what came back is kept, as a terminal would show it.
/// </summary>
internal sealed class LabMachine(ITestOutputHelper output) : UmlMachine(3072, TimeSpan.FromMinutes(40))
{
    private const string Folder = "/var/lib/skep-lab/uml";
    private const int Nodes = 3;

    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(6);

    // Every question costs the one processor most of a second that what is waited for could have.
    private static readonly TimeSpan s_again = TimeSpan.FromSeconds(3);
    private static readonly string s_root = RootOf(Environment.GetEnvironmentVariable("SKEP"));

    /// <summary>The program, as the launcher built it.</summary>
    public static string Skep => $"{s_root}/artifacts/app/skep";

    private readonly Stopwatch _clock = Stopwatch.StartNew();

    /// <summary>The machines of a machine's first lab have these.</summary>
    public static string AddressOf(int node) => string.Create(CultureInfo.InvariantCulture, $"10.77.0.{node}");

    /// <param name="dataPlane">classic or nftables.</param>
    public async Task UpAsync(string dataPlane)
    {
        await InitializeAsync();
        Tell("The kernel runs");
        // Images are unpacked into overlays, which cannot be made on the overlay that is this machine's root.
        await ShellAsync(
            $"""
            mkdir -p /var/lib/skep-lab
            mount -t tmpfs tmpfs /var/lib/skep-lab
            # A machine that starts three daemons on one processor may need more than a lab gives them; a second try brings what is missing.
            until SKEP_DATA_PLANE={dataPlane} {Skep} lab up --nodes {Nodes} --no-swarm --name uml; do :; done
            """,
            s_patience);
        Tell("Three daemons run");
        await ShellAsync(Image, s_patience);
        for (var node = 1; node <= Nodes; node++)
        {
            await OnAsync(node, "docker import --change 'CMD [\"busybox\",\"httpd\",\"-f\",\"-v\",\"-p\",\"3000\",\"-h\",\"/www\"]' /tmp/demo.tar node-test:latest");
        }
    }

    /// <summary>Types this on that machine; the answer has both streams.</summary>
    /// <exception cref="UmlException">It failed, and that was not expected.</exception>
    public async Task<string> OnAsync(int node, string command, bool fails = false)
    {
        var answer = await InAsync(PlaceOf(node), command, fails);
        Tell($"node{node}# {command}\n{answer}");
        return answer;
    }

    /// <summary>Types this on the switch that the machines are plugged into; its port to node N is called nodeN.</summary>
    public async Task<string> OnSwitchAsync(string command)
    {
        var answer = await InAsync("--net=/run/netns/skep-lab-uml", command, fails: false);
        Tell($"switch# {command}\n{answer}");
        return answer;
    }

    /// <summary>Asks again and again until the answer matches; only that answer is kept.</summary>
    public async Task<string> UntilAsync(int node, string command, string pattern)
    {
        using var limit = new CancellationTokenSource(s_patience);
        using var again = new PeriodicTimer(s_again);
        while (true)
        {
            var answer = await InAsync(PlaceOf(node), $"{command} || true", fails: false);
            if (Regex.IsMatch(answer, pattern))
            {
                Tell($"node{node}# {command}\n{answer}");
                return answer;
            }

            if (limit.IsCancellationRequested)
            {
                throw new TimeoutException($"node{node}: {command} never said {pattern}; last it said:\n{answer}");
            }

            await again.WaitForNextTickAsync(CancellationToken.None);
        }
    }

    /// <summary>Waits until this many tasks of the service run.</summary>
    public Task RunningAsync(string service, int count) =>
        UntilAsync(1, $"docker service ps {service} --filter desired-state=running --format '{{{{.Node}}}} {{{{.CurrentState}}}} {{{{.Error}}}}'", $@"^(\w+ Running [^\n]*\n){{{count}}}$");

    /// <summary>Makes a service; the image is on each machine and in no registry.</summary>
    public Task CreateAsync(string service) => OnAsync(1, $"docker service create -d --no-resolve-image {service}");

    /// <summary>
    /// Asks until two backends have answered in turn three times around: the machine that is asked hears of a new backend a moment after the
    /// manager does, and leaves one out whose node this machine had no time for.
    /// </summary>
    /// <param name="container">Where the question is asked; null = on the machine.</param>
    public Task InTurnAsync(int node, string question, string? container = null)
    {
        var asking = $"for i in $(seq 6); do {question}; done";
        return UntilAsync(node, container is null ? asking : $"docker exec {container} sh -c '{asking}'", @"^(\w+)\n(?!\1\n)(\w+)\n(\1\n\2\n){2}$");
    }

    /// <summary>That machine loses its power.</summary>
    public async Task KillAsync(int node)
    {
        await ShellAsync($"{Skep} lab kill {node} --name uml", s_patience);
        Tell($"node{node} is off");
    }

    /// <summary>The first container of that service on that machine.</summary>
    public async Task<string> ContainerAsync(int node, string service) =>
        (await OnAsync(node, $"docker ps -q --filter label=com.docker.swarm.service.name={service} | head -n 1")).Trim();

    /// <summary>The last words of each daemon; etcd's own would drown them on a machine this slow.</summary>
    public Task<string> JournalsAsync() => ShellAsync($"for log in {Folder}/node*/daemon.log; do echo \"$log\"; grep -v 'supervision: etcd: ' \"$log\" | tail -n 60; done");

    private static string PlaceOf(int node) => $"--target $(cut -d' ' -f1 {Folder}/node{node}/machine) --mount --uts --ipc --net --pid --cgroup";

    private Task<string> InAsync(string place, string command, bool fails)
    {
        var quoted = command.Replace("'", @"'\''", StringComparison.Ordinal);
        var inside = $"nsenter {place} -- bash -c '{quoted}' </dev/null";
        return ShellAsync(fails ? $"! {inside}" : inside, s_patience);
    }

    private void Tell(string what) => output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{_clock.Elapsed.TotalSeconds,6:F1} s  {what}"));

    // busybox, with a program that says the host name, and one that says it and what the one at $NEXT says.
    private static string Image =>
        """
        root=$(mktemp -d)
        mkdir -p "$root"/{bin,etc,tmp,proc,sys,dev,www/cgi-bin}
        cp "$(command -v busybox)" "$root/bin/busybox"
        chroot "$root" /bin/busybox --install -s /bin
        printf '#!/bin/sh\necho; hostname; echo "$(hostname) served" >/proc/1/fd/1\n' >"$root/www/cgi-bin/whoami"
        printf '#!/bin/sh\necho; echo "$(hostname) after $(wget -qO- "http://$NEXT")"\n' >"$root/www/cgi-bin/next"
        chmod +x "$root"/www/cgi-bin/*
        tar -C "$root" -cf /tmp/demo.tar .
        """;

    private static string RootOf(string? launcher)
    {
        if (launcher is { Length: > 0 })
        {
            return Path.GetDirectoryName(launcher)!;
        }

        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Skep.slnx")))
        {
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("The tests run from a clone of the project.");
        }

        return folder;
    }
}

using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Skep.Kernel.Links;
using Skep.Kernel.Namespaces;
using Skep.Kernel.Routes;

namespace Skep.Testing.Kernel;

/// <summary>
/// Private network namespaces for one test, at /run/netns/<c>prefix-process-number-name</c> so that <c>ip -n</c> knows them. All are
/// removed when the fixture is disposed; those of a test process that was killed are removed by the next one. Needs root.
/// </summary>
public sealed class NamespaceFixture : IDisposable
{
    private const string Root = "/run/netns";

    private static int s_fixtures;

    private readonly List<(string Path, NetworkNamespace Namespace)> _made = [];
    private readonly string _prefix;

    /// <param name="prefix">What the names begin with; letters only.</param>
    public NamespaceFixture(string prefix = "kt")
    {
        RemoveLeftOvers(prefix);
        var (process, number) = (Environment.ProcessId, Interlocked.Increment(ref s_fixtures));
        _prefix = string.Create(CultureInfo.InvariantCulture, $"{prefix}-{process}-{number}");
    }

    /// <summary>A new namespace, with lo up.</summary>
    public NetworkNamespace Create(string name)
    {
        var path = $"{Root}/{_prefix}-{name}";
        var made = NetworkNamespace.Create(path);
        _made.Add((path, made));
        using var routes = RouteNetlink.Open(made);
        routes.SetLink(routes.FindLink("lo")!.Index, new LinkChange { Up = true });
        return made;
    }

    /// <summary>The name that <c>ip -n</c> takes.</summary>
    public string NameOf(NetworkNamespace ns) => Path.GetFileName(_made.Find(made => made.Namespace == ns).Path);

    /// <summary>Joins two namespaces by a veth pair; both ends are up and have their address, as in 10.1.0.1/24.</summary>
    public static void Join(NetworkNamespace left, string leftName, string leftAddress, NetworkNamespace right, string rightName, string rightAddress)
    {
        using var leftRoutes = RouteNetlink.Open(left);
        using var rightRoutes = RouteNetlink.Open(right);
        leftRoutes.AddVeth(leftName, rightName, right);
        SwitchOn(leftRoutes, leftName, leftAddress);
        SwitchOn(rightRoutes, rightName, rightAddress);
    }

    /// <summary>A socket of this namespace, for use anywhere.</summary>
    public static Socket OpenSocket(NetworkNamespace ns, SocketType type, ProtocolType protocol, AddressFamily family = AddressFamily.InterNetwork) =>
        ns.Run(() => new Socket(family, type, protocol));

    /// <summary>A TCP socket of this namespace that listens on all its IPv4 addresses.</summary>
    public static Socket Listen(NetworkNamespace ns, int port)
    {
        var socket = OpenSocket(ns, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Any, port));
        socket.Listen();
        return socket;
    }

    /// <summary>Runs a command inside and returns what it printed; throws with its words if it fails.</summary>
    public static async Task<string> RunAsync(NetworkNamespace ns, string command, params string[] arguments)
    {
        var start = new ProcessStartInfo("nsenter") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in (string[])[$"--net={ns.Origin}", command, .. arguments])
        {
            start.ArgumentList.Add(argument);
        }

        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0
            ? await output
            : throw new InvalidOperationException($"{command} {string.Join(' ', arguments)}: exit {process.ExitCode}: {error}");
    }

    public void Dispose()
    {
        foreach (var (path, ns) in _made)
        {
            ns.Dispose();
            NetworkNamespace.Delete(path);
        }
    }

    private static void SwitchOn(RouteNetlink routes, string name, string address)
    {
        var link = routes.FindLink(name)!.Index;
        var slash = address.IndexOf('/');
        routes.AddAddress(link, IPAddress.Parse(address[..slash]), int.Parse(address[(slash + 1)..], CultureInfo.InvariantCulture));
        routes.SetLink(link, new LinkChange { Up = true });
    }

    private static void RemoveLeftOvers(string prefix)
    {
        if (!Directory.Exists(Root))
        {
            return;
        }

        foreach (var path in Directory.EnumerateFiles(Root, $"{prefix}-*"))
        {
            var parts = Path.GetFileName(path).Split('-');
            if (parts.Length > 1 && int.TryParse(parts[1], CultureInfo.InvariantCulture, out var process) && !Directory.Exists($"/proc/{process}"))
            {
                NetworkNamespace.Delete(path);
            }
        }
    }
}

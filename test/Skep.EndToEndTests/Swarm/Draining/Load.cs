using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Skep.Kernel.Namespaces;

namespace Skep.EndToEndTests.Swarm.Draining;

/// <summary>
/// Clients that ask without pause from several places, and count what is not answered. A kept connection that is closed before a
/// request's answer has begun is opened anew and the request repeated, as HTTP has it (RFC 9112, 9.3.1): that is not a failure.
/// </summary>
/// <param name="patience">How long a request may take before it counts as failed; 5 s when null.</param>
/// <param name="cancellationToken">Ends it with its test.</param>
internal sealed class Load(CancellationToken cancellationToken, TimeSpan? patience = null) : IAsyncDisposable
{
    private readonly TimeSpan _patience = patience ?? TimeSpan.FromSeconds(5);
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(10);

    private readonly CancellationTokenSource _ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
    private readonly List<Tally> _tallies = [];
    private readonly List<Task> _running = [];
    private readonly Dictionary<string, OwnPorts> _outside = new(StringComparer.Ordinal);

    public IReadOnlyList<Tally> Tallies => _tallies;

    /// <summary>
    /// Asks a service by mesh and virtual address: from the askers' machines, from the askers, whose sockets choose and by packet rules, and from outside.
    /// </summary>
    public async Task AskEverywhereAsync(SwarmLab lab, IEnumerable<RunningTask> askers, string service, string network, (int Tcp, int Udp) published)
    {
        var vip = await lab.VipAsync(service, network);
        foreach (var asker in askers)
        {
            var address = await lab.AddressAsync(asker.Node);
            All($"node{asker.Node} itself", lab.NetworkOf(asker.Node), address, published);
            All($"a task on node{asker.Node}", lab.NetworkOf(asker), vip, (80, 5353));
            All($"from outside to node{asker.Node}", null, address, published);
            InTask(lab, asker, $"http://{vip}/");
        }
    }

    private void All(string who, NetworkNamespace? from, string address, (int Tcp, int Udp) ports)
    {
        // One client that comes to one backend from one port by two addresses within a minute seems to come from the past (docs/networking.md,
        // ports that are taken again). That is not what is counted here, so each node is asked from ports of its own.
        var own = from is null ? _outside[address] = new OwnPorts(_outside.Count) : null;
        Connections(who, from, address, ports.Tcp, own);
        KeptConnection(who, from, address, ports.Tcp, own);
        Datagrams(who, from, address, ports.Udp);
    }

    /// <summary>A new connection for each request.</summary>
    private void Connections(string who, NetworkNamespace? from, string address, int port, OwnPorts? own) => Run($"new connections, {who}", async (tally, ending) =>
    {
        using var flow = await HttpFlow.OpenAsync(from, address, port, own, ending);
        await flow.AskAsync(close: true, ending);
        tally.Done();
    });

    /// <summary>One connection for all requests, as long as it is kept.</summary>
    private void KeptConnection(string who, NetworkNamespace? from, string address, int port, OwnPorts? own)
    {
        HttpFlow? flow = null;
        Run($"kept connection, {who}", async (tally, ending) =>
        {
            var fresh = flow is null;
            flow ??= await HttpFlow.OpenAsync(from, address, port, own, ending);
            try
            {
                await flow.AskAsync(close: false, ending);
                tally.Done();
            }
            catch (ClosedBeforeAnswerException) when (!fresh)
            {
                tally.Reopened++;
                flow.Dispose();
                flow = null;
                flow = await HttpFlow.OpenAsync(from, address, port, own, ending);
                await flow.AskAsync(close: false, ending);
                tally.Done();
            }
            catch
            {
                flow.Dispose();
                flow = null;
                throw;
            }
        });
    }

    /// <summary>Requests and answers in datagrams, always from one port.</summary>
    private void Datagrams(string who, NetworkNamespace? from, string address, int port)
    {
        var socket = Open(from, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Any, 0));
        socket.Connect(IPAddress.Parse(address), port);
        Run($"datagrams, {who}", async (tally, ending) =>
        {
            await socket.SendAsync("?"u8.ToArray(), ending);
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(ending);
            limit.CancelAfter(TimeSpan.FromSeconds(2));
            await socket.ReceiveAsync(new byte[256], SocketFlags.None, limit.Token);
            tally.Done();
        });
    }

    /// <summary>
    /// A program in a task's container, with a new connection for each request: its sockets find backends by themselves, while those of this
    /// process, which is in no container's control group, are balanced by packet rules.
    /// </summary>
    private void InTask(SwarmLab lab, RunningTask task, string url)
    {
        // Both sides tell the time since the machine's start: busybox's date knows seconds only.
        var script = $"while read a _ </proc/uptime; do timeout {_patience.TotalSeconds:f0} wget -q -O /dev/null {url} && r=ok || r=failed; read b _ </proc/uptime; echo $r $a $b; sleep 0.02; done";
        var tally = new Tally($"new connections, a program in the task on node{task.Node}");
        _tallies.Add(tally);
        _running.Add(Task.Run(
            async () =>
            {
                using var process = lab.Start(task.Node, "docker", "exec", task.Container, "sh", "-c", script);
                await using var end = _ending.Token.Register(() => process.Kill());
                var booted = TimeProvider.System.GetUtcNow() - Since(File.ReadAllText("/proc/uptime").Split(' ')[0]);
                while (await process.StandardOutput.ReadLineAsync(CancellationToken.None) is { } line)
                {
                    if (line.Split(' ') is ["ok", _, _])
                    {
                        tally.Done();
                    }
                    else if (line.Split(' ') is ["failed", var began, var ended] && !_ending.IsCancellationRequested)
                    {
                        tally.Failed(new Failure(booted + Since(began), Since(ended) - Since(began), "wget failed"));
                    }
                }
            },
            CancellationToken.None));

        static TimeSpan Since(string seconds) => TimeSpan.FromSeconds(double.Parse(seconds, CultureInfo.InvariantCulture));
    }

    /// <summary>Waits until every client has been answered so many more times.</summary>
    public async Task MoreAsync(int answers)
    {
        var goals = _tallies.Select(t => (Tally: t, Goal: t.Answers + answers)).ToList();
        var began = Stopwatch.GetTimestamp();
        while (goals.Exists(g => g.Tally.Answers < g.Goal))
        {
            Assert.True(Stopwatch.GetElapsedTime(began) < TimeSpan.FromSeconds(30), ToString());
            await Task.Delay(s_pause, TimeProvider.System, cancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await Task.WhenAll(_running);
        _ending.Dispose();
    }

    public override string ToString() => string.Join('\n', _tallies);

    private static Socket Open(NetworkNamespace? from, SocketType type, ProtocolType protocol) =>
        from is null ? new Socket(AddressFamily.InterNetwork, type, protocol) : from.Run(() => new Socket(AddressFamily.InterNetwork, type, protocol));

    private void Run(string who, Func<Tally, CancellationToken, Task> request)
    {
        var tally = new Tally(who);
        _tallies.Add(tally);
        _running.Add(Task.Run(
            async () =>
            {
                while (!_ending.IsCancellationRequested)
                {
                    var (began, at) = (Stopwatch.GetTimestamp(), TimeProvider.System.GetUtcNow());
                    try
                    {
                        using var limit = CancellationTokenSource.CreateLinkedTokenSource(_ending.Token);
                        limit.CancelAfter(_patience);
                        await request(tally, limit.Token);
                        tally.Longest = TimeSpan.FromTicks(Math.Max(tally.Longest.Ticks, Stopwatch.GetElapsedTime(began).Ticks));
                        await Task.Delay(s_pause, TimeProvider.System, _ending.Token);
                    }
                    catch (Exception) when (_ending.IsCancellationRequested)
                    {
                        return;
                    }
                    catch (Exception failure) when (failure is SocketException or IOException or OperationCanceledException or ClosedBeforeAnswerException)
                    {
                        tally.Failed(new Failure(at, Stopwatch.GetElapsedTime(began), failure.Message));
                    }
                }
            },
            CancellationToken.None));
    }

    /// <summary>A request that was not answered.</summary>
    internal sealed record Failure(DateTimeOffset Began, TimeSpan Took, string Reason)
    {
        public override string ToString() => $"{Began:HH:mm:ss.fff} {Took.TotalMilliseconds:f0} ms: {Reason}";
    }

    /// <summary>What one client has seen.</summary>
    internal sealed class Tally(string who)
    {
        private readonly List<Failure> _failures = [];
        private int _answers;

        public string Who => who;
        public int Answers => Volatile.Read(ref _answers);
        public int Reopened { get; set; }
        public TimeSpan Longest { get; set; }

        public IReadOnlyList<Failure> Failures
        {
            get
            {
                lock (_failures)
                {
                    return [.. _failures];
                }
            }
        }

        public void Done() => Interlocked.Increment(ref _answers);

        public void Failed(Failure failure)
        {
            lock (_failures)
            {
                _failures.Add(failure);
            }
        }

        public override string ToString() =>
            $"{who}: {Answers} answered, {Reopened} connections opened anew, longest {Longest.TotalMilliseconds:f0} ms, {Failures.Count} failed {string.Join("; ", Failures.Take(3))}";
    }

    /// <summary>A part of the ephemeral ports, of which the kernel chooses (Linux 6.3; an older one chooses of all).</summary>
    private sealed class OwnPorts(int part)
    {
        private const int First = 33_000;
        private const int Size = 9_000;

        // IPPROTO_IP and IP_LOCAL_PORT_RANGE of linux/in.h: the last port in the upper half.
        private const int Level = 0;
        private const int LocalPortRange = 51;

        public void Limit(Socket socket)
        {
            var first = First + (part * Size);
            try
            {
                socket.SetRawSocketOption(Level, LocalPortRange, BitConverter.GetBytes(((uint)(first + Size - 1) << 16) | (uint)first));
            }
            catch (SocketException unknown) when (unknown.SocketErrorCode == SocketError.ProtocolOption)
            {
            }
        }
    }

    private sealed class ClosedBeforeAnswerException() : Exception("closed before the answer began");

    /// <summary>A connection that speaks as much HTTP/1.1 as the test's server needs.</summary>
    private sealed class HttpFlow(Socket socket) : IDisposable
    {
        private readonly byte[] _buffer = new byte[4096];

        public static async Task<HttpFlow> OpenAsync(NetworkNamespace? from, string address, int port, OwnPorts? own, CancellationToken ending)
        {
            var socket = Open(from, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                socket.NoDelay = true;
                own?.Limit(socket);
                await socket.ConnectAsync(new IPEndPoint(IPAddress.Parse(address), port), ending);
                return new HttpFlow(socket);
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }

        public async Task AskAsync(bool close, CancellationToken ending)
        {
            var length = 0;
            try
            {
                await socket.SendAsync(Encoding.ASCII.GetBytes($"GET / HTTP/1.1\r\nHost: web\r\nConnection: {(close ? "close" : "keep-alive")}\r\n\r\n"), ending);
                while (!IsWhole(Encoding.ASCII.GetString(_buffer, 0, length)))
                {
                    var more = await socket.ReceiveAsync(_buffer.AsMemory(length), SocketFlags.None, ending);
                    if (more == 0)
                    {
                        throw length == 0 ? new ClosedBeforeAnswerException() : new IOException("closed within the answer");
                    }

                    length += more;
                }
            }
            catch (SocketException reset) when (length == 0 && reset.SocketErrorCode is SocketError.ConnectionReset or SocketError.Shutdown)
            {
                throw new ClosedBeforeAnswerException();
            }
        }

        public void Dispose() => socket.Dispose();

        private static bool IsWhole(string answer)
        {
            var body = answer.IndexOf("\r\n\r\n", StringComparison.Ordinal);
            if (body < 0)
            {
                return false;
            }

            if (!answer.StartsWith("HTTP/1.1 200 ", StringComparison.Ordinal))
            {
                throw new IOException(answer.Split('\r')[0]);
            }

            var name = answer.IndexOf("Content-Length: ", StringComparison.Ordinal) + "Content-Length: ".Length;
            return answer.Length >= body + 4 + int.Parse(answer[name..answer.IndexOf('\r', name)], CultureInfo.InvariantCulture);
        }
    }
}

using Skep.Kernel.Namespaces;
using Skep.Kernel.Netlink;
using static Skep.Kernel.Netlink.Headers.NetlinkHeader;

namespace Skep.Kernel.Routes;

/// <summary>
/// Links, addresses, routes, rules, neighbours and forwarding entries of one network namespace (rtnetlink(7)). One socket;
/// thread-safe. Every call throws <see cref="NetlinkException"/> with the kernel's words when it is refused. Of those that return
/// bool, false says that there was nothing to do: already there (add) or not there (delete).
/// </summary>
public sealed partial class RouteNetlink : IDisposable
{
    private readonly Lock _gate = new();
    private readonly NetlinkSocket _socket;

    private RouteNetlink(NetlinkSocket socket) => _socket = socket;

    /// <summary>The number that notices of changes made here carry (<see cref="RouteNotice.PortId"/>).</summary>
    public uint PortId => _socket.PortId;

    /// <summary>Opens the tables of <paramref name="ns"/>; null: of the calling thread's namespace.</summary>
    public static RouteNetlink Open(NetworkNamespace? ns = null) => new(NetlinkSocket.Open(NetlinkProtocol.Route, ns));

    /// <summary>
    /// Sends many changes with one system call (one for each 64 KiB) and returns those that were refused. All others are done; what is so already is no failure.
    /// </summary>
    public IReadOnlyList<BatchFailure> Batch(Action<RouteBatch> fill)
    {
        var batch = new RouteBatch();
        fill(batch);
        return Execute(batch).Where(refusal => !batch.IsAlreadySo(refusal)).Select(batch.Explain).ToList();
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _socket.Dispose();
        }
    }

    private bool Change(Action<RouteBatch> fill)
    {
        var batch = new RouteBatch();
        fill(batch);
        return Execute(batch) switch
        {
            [] => true,
            [var refusal, ..] when batch.IsAlreadySo(refusal) => false,
            [var refusal, ..] => throw batch.Explain(refusal).Error,
        };
    }

    private IReadOnlyList<NetlinkRefusal> Execute(RouteBatch batch)
    {
        lock (_gate)
        {
            return _socket.Execute(batch.Writer);
        }
    }

    private List<T> Read<T>(NetlinkWriter request, NetlinkParser<T> parse, string attempt) where T : class
    {
        lock (_gate)
        {
            return _socket.Read(request, parse, attempt);
        }
    }

    // A request for a whole table: the fixed header, and attributes that narrow it down.
    private static NetlinkWriter Dump<T>(ushort type, in T header, Action<NetlinkWriter>? filters = null) where T : unmanaged
    {
        var writer = new NetlinkWriter();
        var message = writer.BeginMessage(type, NLM_F_REQUEST | NLM_F_DUMP);
        writer.Header(header);
        filters?.Invoke(writer);
        writer.EndMessage(message);
        return writer;
    }
}

using Skep.Kernel.Namespaces;
using Skep.Kernel.Native;
using Skep.Kernel.Netlink;
using static Skep.Kernel.Netlink.Headers.Xfrm;

namespace Skep.Kernel.Xfrm;

/// <summary>The IPsec states and policies of one network namespace (NETLINK_XFRM). Thread-safe.</summary>
public sealed class XfrmTable : IDisposable
{
    private readonly Lock _gate = new();
    private readonly NetlinkSocket _socket;

    private XfrmTable(NetlinkSocket socket) => _socket = socket;

    /// <summary>Notices of changes made through this table carry this number.</summary>
    public uint PortId => _socket.PortId;

    /// <summary>Opens the table of <paramref name="ns"/>; null: of the calling thread's namespace.</summary>
    /// <exception cref="NetlinkException">The kernel has no XFRM.</exception>
    public static XfrmTable Open(NetworkNamespace? ns = null) => new(NetlinkSocket.Open(NetlinkProtocol.Xfrm, ns));

    /// <summary>The ESP states in transport mode, with their counters.</summary>
    public IReadOnlyList<XfrmState> States() => Read(XFRM_MSG_GETSA, XfrmParser.ParseState, "read the IPsec states");

    /// <summary>The policies of UDP ports.</summary>
    public IReadOnlyList<XfrmPolicy> Policies() => Read(XFRM_MSG_GETPOLICY, XfrmParser.ParsePolicy, "read the IPsec policies");

    /// <summary>One that is there already, with this SPI, is an error.</summary>
    public void AddStates(IEnumerable<XfrmState> states) => Execute(states, XfrmMessages.Add, "add an IPsec state", tolerated: 0);

    /// <summary>One that is not there is no error.</summary>
    public void DeleteStates(IEnumerable<XfrmState> states) => Execute(states, XfrmMessages.Delete, "delete an IPsec state", Errno.ESRCH);

    /// <summary>Each takes the place of the one with the same direction and selector, in one step.</summary>
    public void SetPolicies(IEnumerable<XfrmPolicy> policies) => Execute(policies, XfrmMessages.Set, "set an IPsec policy", tolerated: 0);

    /// <summary>One that is not there is no error.</summary>
    public void DeletePolicies(IEnumerable<XfrmPolicy> policies) => Execute(policies, XfrmMessages.Delete, "delete an IPsec policy", Errno.ENOENT);

    public void Dispose()
    {
        lock (_gate)
        {
            _socket.Dispose();
        }
    }

    private List<T> Read<T>(ushort message, NetlinkParser<T> parse, string attempt)
        where T : class
    {
        lock (_gate)
        {
            return _socket.Read(XfrmMessages.Dump(message), parse, attempt);
        }
    }

    private void Execute<T>(IEnumerable<T> items, Action<NetlinkWriter, T> write, string attempt, int tolerated)
    {
        var writer = new NetlinkWriter();
        foreach (var item in items)
        {
            write(writer, item);
        }

        if (writer.Count == 0)
        {
            return;
        }

        lock (_gate)
        {
            if (_socket.Execute(writer).FirstOrDefault(r => r.Errno != tolerated) is { } refusal)
            {
                throw NetlinkException.For(refusal.Errno, attempt, refusal.Explanation);
            }
        }
    }
}

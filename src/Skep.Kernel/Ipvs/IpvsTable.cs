using System.Net;
using Skep.Kernel.Namespaces;
using Skep.Kernel.Netlink;
using Skep.Kernel.Netlink.Headers;
using static Skep.Kernel.Netlink.Headers.IpVs;
using static Skep.Kernel.Netlink.Headers.NetlinkHeader;

namespace Skep.Kernel.Ipvs;

/// <summary>
/// The virtual servers of one network namespace that are chosen by firewall mark (IPVS over generic netlink, linux/ip_vs.h). Thread-safe.
/// </summary>
public sealed class IpvsTable : IDisposable
{
    private const int AddressSize = 16;

    private readonly Lock _gate = new();
    private readonly NetlinkSocket _socket;
    private readonly ushort _family;

    private IpvsTable(NetlinkSocket socket, ushort family) => (_socket, _family) = (socket, family);

    /// <summary>Opens the table of a namespace. <see cref="NetlinkException"/> when the kernel has no IPVS.</summary>
    public static IpvsTable Open(NetworkNamespace? ns = null)
    {
        var socket = NetlinkSocket.Open(NetlinkProtocol.Generic, ns);
        try
        {
            return new IpvsTable(socket, FamilyId(socket));
        }
        catch (NetlinkException)
        {
            socket.Dispose();
            throw;
        }
    }

    public IReadOnlyList<IpvsService> Services()
    {
        lock (_gate)
        {
            return _socket.Read(Request(IPVS_CMD_GET_SERVICE, NLM_F_DUMP), ParseService, "read the virtual servers");
        }
    }

    public IReadOnlyList<IpvsDestination> Destinations(uint mark)
    {
        var request = new NetlinkWriter();
        var message = Begin(request, IPVS_CMD_GET_DEST, NLM_F_DUMP);
        WriteKey(request, mark);
        request.EndMessage(message);
        lock (_gate)
        {
            return _socket.Read(request, ParseDestination, $"read the real servers of mark {mark}");
        }
    }

    public void AddService(IpvsService service) => Execute(
        IPVS_CMD_NEW_SERVICE,
        writer =>
        {
            var nested = writer.BeginNested(IPVS_CMD_ATTR_SERVICE);
            writer.Attribute(IPVS_SVC_ATTR_AF, AF_INET);
            writer.Attribute(IPVS_SVC_ATTR_FWMARK, service.Mark);
            // The kernel wants this text with its terminating zero.
            writer.Attribute(IPVS_SVC_ATTR_SCHED_NAME, service.Scheduler + "\0");
            writer.Attribute(IPVS_SVC_ATTR_FLAGS, [0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF]);
            writer.Attribute(IPVS_SVC_ATTR_TIMEOUT, 0u);
            writer.Attribute(IPVS_SVC_ATTR_NETMASK, uint.MaxValue);
            writer.EndNested(nested);
        },
        $"add the virtual server of mark {service.Mark}");

    /// <summary>Removes the virtual server and its real servers.</summary>
    public void DeleteService(uint mark) => Execute(IPVS_CMD_DEL_SERVICE, writer => WriteKey(writer, mark), $"delete the virtual server of mark {mark}");

    public void AddDestination(uint mark, IpvsDestination destination) =>
        Execute(IPVS_CMD_NEW_DEST, writer => WriteDestination(writer, mark, destination), $"add {destination.Address} to mark {mark}");

    /// <summary>Changes a real server's weight; its flows stay.</summary>
    public void SetDestination(uint mark, IpvsDestination destination) =>
        Execute(IPVS_CMD_SET_DEST, writer => WriteDestination(writer, mark, destination), $"change {destination.Address} of mark {mark}");

    public void DeleteDestination(uint mark, IPAddress address) =>
        Execute(IPVS_CMD_DEL_DEST, writer => WriteDestination(writer, mark, new IpvsDestination(address, 0)), $"delete {address} from mark {mark}");

    public void Dispose()
    {
        lock (_gate)
        {
            _socket.Dispose();
        }
    }

    private static ushort FamilyId(NetlinkSocket socket)
    {
        var request = new NetlinkWriter();
        var message = request.BeginMessage(GenericNetlink.GENL_ID_CTRL, NLM_F_REQUEST);
        request.Header(new GenlMessage { Command = GenericNetlink.CTRL_CMD_GETFAMILY, Version = GenericNetlink.CTRL_VERSION });
        request.Attribute(GenericNetlink.CTRL_ATTR_FAMILY_NAME, IPVS_GENL_NAME + "\0");
        request.EndMessage(message);
        var found = socket.Read<object>(
            request, answer => answer.AttributesAfter<GenlMessage>().Find(GenericNetlink.CTRL_ATTR_FAMILY_ID).UInt16, "find IPVS in the kernel");
        return (ushort)found[0];
    }

    private NetlinkWriter.MessageToken Begin(NetlinkWriter writer, byte command, ushort flags = 0)
    {
        var message = writer.BeginMessage(_family, (ushort)(NLM_F_REQUEST | flags));
        writer.Header(new GenlMessage { Command = command, Version = IPVS_GENL_VERSION });
        return message;
    }

    private NetlinkWriter Request(byte command, ushort flags)
    {
        var writer = new NetlinkWriter();
        writer.EndMessage(Begin(writer, command, flags));
        return writer;
    }

    private void Execute(byte command, Action<NetlinkWriter> write, string attempt)
    {
        var writer = new NetlinkWriter();
        var message = Begin(writer, command);
        write(writer);
        writer.EndMessage(message);
        lock (_gate)
        {
            if (_socket.Execute(writer) is [var refusal, ..])
            {
                throw NetlinkException.For(refusal.Errno, attempt, refusal.Explanation);
            }
        }
    }

    private static void WriteKey(NetlinkWriter writer, uint mark)
    {
        var nested = writer.BeginNested(IPVS_CMD_ATTR_SERVICE);
        writer.Attribute(IPVS_SVC_ATTR_AF, AF_INET);
        writer.Attribute(IPVS_SVC_ATTR_FWMARK, mark);
        writer.EndNested(nested);
    }

    private static void WriteDestination(NetlinkWriter writer, uint mark, IpvsDestination destination)
    {
        WriteKey(writer, mark);
        Span<byte> address = stackalloc byte[AddressSize];
        address.Clear();
        destination.Address.TryWriteBytes(address, out _);
        var nested = writer.BeginNested(IPVS_CMD_ATTR_DEST);
        writer.Attribute(IPVS_DEST_ATTR_ADDR_FAMILY, AF_INET);
        writer.Attribute(IPVS_DEST_ATTR_ADDR, address);
        writer.Attribute(IPVS_DEST_ATTR_PORT, (ushort)0);
        writer.Attribute(IPVS_DEST_ATTR_FWD_METHOD, IP_VS_CONN_F_MASQ);
        writer.Attribute(IPVS_DEST_ATTR_WEIGHT, destination.Weight);
        writer.Attribute(IPVS_DEST_ATTR_U_THRESH, 0u);
        writer.Attribute(IPVS_DEST_ATTR_L_THRESH, 0u);
        writer.EndNested(nested);
    }

    private static IpvsService? ParseService(NetlinkMessage message)
    {
        var (mark, scheduler) = (0u, "");
        var attributes = message.AttributesAfter<GenlMessage>().Find(IPVS_CMD_ATTR_SERVICE).Nested;
        while (attributes.Next(out var attribute))
        {
            switch (attribute.Type)
            {
                case IPVS_SVC_ATTR_FWMARK: mark = attribute.UInt32; break;
                case IPVS_SVC_ATTR_SCHED_NAME: scheduler = attribute.Text; break;
            }
        }

        // A virtual server of address and port has no mark; it is none of ours.
        return mark == 0 ? null : new IpvsService(mark, scheduler);
    }

    private static IpvsDestination? ParseDestination(NetlinkMessage message)
    {
        var destination = new IpvsDestination(IPAddress.Any, 0);
        var attributes = message.AttributesAfter<GenlMessage>().Find(IPVS_CMD_ATTR_DEST).Nested;
        while (attributes.Next(out var attribute))
        {
            destination = attribute.Type switch
            {
                IPVS_DEST_ATTR_ADDR when attribute.Value.Length >= 4 => destination with { Address = new IPAddress(attribute.Value[..4]) },
                IPVS_DEST_ATTR_WEIGHT => destination with { Weight = attribute.UInt32 },
                IPVS_DEST_ATTR_ACTIVE_CONNS => destination with { ActiveConnections = attribute.UInt32 },
                IPVS_DEST_ATTR_INACT_CONNS => destination with { InactiveConnections = attribute.UInt32 },
                _ => destination,
            };
        }

        return destination;
    }
}

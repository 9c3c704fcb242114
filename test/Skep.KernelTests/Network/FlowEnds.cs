using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Skep.KernelTests.Network;

/// <summary>What the two ends of a flow with a PROXY header say and read.</summary>
internal static class FlowEnds
{
    /// <summary>Reads a header of version 2 (proxy-protocol.txt, 2.2), a connection of TCP in either family.</summary>
    public static async Task<(IPEndPoint Source, IPEndPoint Dialled)> HeaderAsync(Socket task, CancellationToken limit)
    {
        var fixedPart = await ReadAsync(task, 16, limit);
        Assert.Equal("0D0A0D0A000D0A515549540A21", Convert.ToHexString(fixedPart, 0, 13));
        var bytes = fixedPart[13] switch { 0x11 => 4, 0x21 => 16, var other => throw new InvalidDataException(other.ToString("x2", CultureInfo.InvariantCulture)) };
        Assert.Equal((2 * bytes) + 4, BinaryPrimitives.ReadUInt16BigEndian(fixedPart.AsSpan(14)));
        var ends = await ReadAsync(task, (2 * bytes) + 4, limit);
        return (End(ends.AsSpan(0, bytes), ends.AsSpan(2 * bytes)), End(ends.AsSpan(bytes, bytes), ends.AsSpan((2 * bytes) + 2)));

        static IPEndPoint End(ReadOnlySpan<byte> address, ReadOnlySpan<byte> port) => new(new IPAddress(address), BinaryPrimitives.ReadUInt16BigEndian(port));
    }

    /// <summary>A text sent at one end is what the other reads next.</summary>
    public static async Task EchoAsync(Socket from, Socket to, string text, CancellationToken limit)
    {
        await SendAsync(from, Encoding.ASCII.GetBytes(text), limit);
        Assert.Equal(text, Encoding.ASCII.GetString(await ReadAsync(to, text.Length, limit)));
    }

    public static async Task SendAsync(Socket socket, ReadOnlyMemory<byte> bytes, CancellationToken limit)
    {
        while (!bytes.IsEmpty)
        {
            bytes = bytes[await socket.SendAsync(bytes, SocketFlags.None, limit)..];
        }
    }

    public static async Task<byte[]> ReadAsync(Socket socket, int length, CancellationToken limit)
    {
        var buffer = new byte[length];
        for (var read = 0; read < length;)
        {
            var more = await socket.ReceiveAsync(buffer.AsMemory(read), SocketFlags.None, limit);
            read += more > 0 ? more : throw new EndOfStreamException($"ended after {read} of {length} bytes");
        }

        return buffer;
    }

    public static async Task<byte[]> ReadToEndAsync(Socket socket, CancellationToken limit)
    {
        using var all = new MemoryStream();
        var buffer = new byte[1 << 20];
        while (await socket.ReceiveAsync(buffer, SocketFlags.None, limit) is > 0 and var length)
        {
            all.Write(buffer, 0, length);
        }

        return all.ToArray();
    }

    /// <summary>How a flow ended: Disconnecting is its orderly end, Success that it goes on.</summary>
    public static async Task<SocketError> ErrorAsync(Socket socket, CancellationToken limit)
    {
        try
        {
            return await socket.ReceiveAsync(new byte[1], SocketFlags.None, limit) == 0 ? SocketError.Disconnecting : SocketError.Success;
        }
        catch (SocketException error)
        {
            return error.SocketErrorCode;
        }
    }

    public static string AddressOf(EndPoint end) => ((IPEndPoint)end).Address is { IsIPv4MappedToIPv6: true } mapped ? mapped.MapToIPv4().ToString() : ((IPEndPoint)end).Address.ToString();
}

using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Skep.Kernel.Namespaces;

namespace Skep.Bench.Names;

/// <summary>One question for IPv4 addresses, asked of 127.0.0.11 as a program in a container asks (RFC 1035, 4.1.1 and 4.1.2).</summary>
internal static class NameQuestion
{
    private const int Seconds = 2;
    private const ushort RecursionDesired = 0x0100;

    // The largest answer over UDP that is told to the server (OPT record: RFC 6891, 6.1.2).
    private const ushort MostBytes = 4096;

    /// <summary>Bytes of the OPT record that ends a message.</summary>
    public const int OptSize = 11;

    /// <summary>How many records the answer has; -1 when there is none or it tells of an error.</summary>
    public static async Task<int> CountAsync(int process, string name, CancellationToken cancellationToken)
    {
        using var space = NetworkNamespace.OfProcess(process);
        using var socket = space.Run(() => new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp));
        await socket.ConnectAsync(IPAddress.Parse("127.0.0.11"), 53, cancellationToken);
        await socket.SendAsync(Of(name), cancellationToken);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(TimeSpan.FromSeconds(Seconds));
        var answer = new byte[4096];
        try
        {
            var length = await socket.ReceiveAsync(answer, patience.Token);
            return length >= 12 && (answer[3] & 0x0f) == 0 ? BinaryPrimitives.ReadUInt16BigEndian(answer.AsSpan(6)) : -1;
        }
        catch (Exception silence) when (silence is SocketException || (silence is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return -1;
        }
    }

    /// <summary>The message that asks for a name's IPv4 addresses, with the number 1.</summary>
    /// <param name="name">The name.</param>
    /// <param name="extended">With an OPT record at the end, so that long answers come whole.</param>
    public static byte[] Of(string name, bool extended = false)
    {
        var text = new MemoryStream();
        ReadOnlySpan<ushort> header = [1, RecursionDesired, 1, 0, 0, (ushort)(extended ? 1 : 0)];
        foreach (var word in header)
        {
            Word(text, word);
        }

        foreach (var label in name.Split('.'))
        {
            text.WriteByte((byte)label.Length);
            text.Write(Encoding.ASCII.GetBytes(label));
        }

        text.WriteByte(0);
        Word(text, 1);
        Word(text, 1);
        if (extended)
        {
            text.Write([0, 0, 41, MostBytes >> 8, MostBytes & 0xff, 0, 0, 0, 0, 0, 0]);
        }

        return text.ToArray();
    }

    private static void Word(MemoryStream text, ushort word)
    {
        text.WriteByte((byte)(word >> 8));
        text.WriteByte((byte)word);
    }
}

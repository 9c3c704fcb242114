using System.Net;
using System.Net.Sockets;

namespace Skep.Testing.Dns;

/// <summary>Asks a name server by datagram or stream, on a socket that the test has made (perhaps in another namespace).</summary>
public static class DnsAsker
{
    /// <summary>One datagram there, one back.</summary>
    public static async Task<DnsMessage> AskAsync(Socket socket, IPEndPoint server, byte[] query, CancellationToken cancellationToken)
    {
        await socket.ConnectAsync(server, cancellationToken);
        await socket.SendAsync(query, cancellationToken);
        var buffer = new byte[ushort.MaxValue];
        var length = await socket.ReceiveAsync(buffer, cancellationToken);
        return DnsMessage.Parse(buffer.AsSpan(0, length));
    }

    /// <summary>All queries over one connection, written at once; the answers in order.</summary>
    public static async Task<IReadOnlyList<DnsMessage>> ConverseAsync(Socket socket, IPEndPoint server, IReadOnlyList<byte[]> queries, CancellationToken cancellationToken)
    {
        await socket.ConnectAsync(server, cancellationToken);
        using var stream = new NetworkStream(socket);
        await stream.WriteAsync(queries.SelectMany(q => (byte[])[(byte)(q.Length >> 8), (byte)q.Length, .. q]).ToArray(), cancellationToken);
        var answers = new List<DnsMessage>();
        foreach (var _ in queries)
        {
            var length = new byte[2];
            await stream.ReadExactlyAsync(length, cancellationToken);
            var answer = new byte[(length[0] << 8) | length[1]];
            await stream.ReadExactlyAsync(answer, cancellationToken);
            answers.Add(DnsMessage.Parse(answer));
        }

        return answers;
    }
}

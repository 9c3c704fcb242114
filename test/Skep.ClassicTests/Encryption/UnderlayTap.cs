using System.Net.Sockets;
using System.Text;
using Skep.Kernel.Namespaces;

namespace Skep.ClassicTests.Encryption;

/// <summary>Looks at every byte of every frame in a namespace (packet(7)) for markers, until it is disposed.</summary>
internal sealed class UnderlayTap : IAsyncDisposable
{
    // linux/if_ether.h: ETH_P_ALL, in network order.
    private const int AllProtocols = 0x0300;

    private readonly Socket _socket;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _reading;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, int> _seen = [];

    public UnderlayTap(NetworkNamespace wire, params string[] markers)
    {
        _socket = wire.Run(() => new Socket(AddressFamily.Packet, SocketType.Raw, (ProtocolType)AllProtocols));
        _socket.ReceiveBufferSize = 16 * 1024 * 1024;
        foreach (var marker in markers)
        {
            _seen[marker] = 0;
        }

        _reading = ReadAsync([.. markers.Select(m => (m, Encoding.ASCII.GetBytes(m)))]);
    }

    public int Frames { get; private set; }

    /// <summary>Frames of IP protocol 50.</summary>
    public int Sealed { get; private set; }

    public int Count(string marker)
    {
        lock (_gate)
        {
            return _seen[marker];
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _reading;
        _socket.Dispose();
        _stop.Dispose();
    }

    private async Task ReadAsync((string Name, byte[] Bytes)[] markers)
    {
        var buffer = new byte[70_000];
        try
        {
            while (true)
            {
                var length = await _socket.ReceiveAsync(buffer, SocketFlags.None, _stop.Token);
                Look(buffer.AsSpan(0, length), markers);
            }
        }
        catch (OperationCanceledException)
        {
        }
    }

    private void Look(ReadOnlySpan<byte> frame, (string Name, byte[] Bytes)[] markers)
    {
        lock (_gate)
        {
            Frames++;
            // Ethernet's type tells where the protocol's number stands.
            Sealed += (frame[12], frame[13]) switch
            {
                (0x08, 0x00) when frame[23] == 50 => 1,
                (0x86, 0xdd) when frame[20] == 50 => 1,
                _ => 0,
            };
            foreach (var (name, bytes) in markers)
            {
                if (frame.IndexOf(bytes) >= 0)
                {
                    _seen[name]++;
                }
            }
        }
    }
}

using System.IO.Pipelines;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;

namespace Skep.Daemon.Http.Infrastructure;

/// <summary>
/// A connection that a handler can take out of HTTP's hands. Kestrel's own upgrade does not serve Docker's clients: it refuses a
/// request with a body (exec start has one), and it ends the connection when the client closes its writing side, which for
/// them is only the end of stdin while the output goes on.
/// </summary>
internal sealed class HijackableConnection : ConnectionContext
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);

    private readonly ConnectionContext _inner;
    private readonly TimeProvider _clock;
    private readonly CancellationTokenSource _closed = new();
    private readonly CancellationTokenRegistration _innerClosed;
    private volatile bool _taken;

    private HijackableConnection(ConnectionContext inner, TimeProvider clock)
    {
        (_inner, _clock) = (inner, clock);
        _innerClosed = inner.ConnectionClosed.Register(OnInnerClosed);
        inner.Features.Set(this);
    }

    public override string ConnectionId
    {
        get => _inner.ConnectionId;
        set => _inner.ConnectionId = value;
    }

    public override IFeatureCollection Features => _inner.Features;

    public override IDictionary<object, object?> Items
    {
        get => _inner.Items;
        set => _inner.Items = value;
    }

    public override IDuplexPipe Transport
    {
        get => _inner.Transport;
        set => _inner.Transport = value;
    }

    /// <summary>Fires when the client closed its writing side, unless a handler has taken the connection.</summary>
    public override CancellationToken ConnectionClosed
    {
        get => _closed.Token;
        set => throw new NotSupportedException();
    }

    public static ConnectionDelegate Wrap(ConnectionDelegate next, TimeProvider clock) => async inner =>
    {
        await using var connection = new HijackableConnection(inner, clock);
        await next(connection);
    };

    public static bool IsTaken(HttpContext context) => context.Features.Get<HijackableConnection>() is { _taken: true };

    /// <summary>From here on bytes are the handler's. The request's body must have been read.</summary>
    public HijackedStream Take()
    {
        _taken = true;
        return new HijackedStream(Transport.Input, new NetworkStream(Socket, ownsSocket: false));
    }

    /// <summary>
    /// Says the end to the client and hears it out before the socket is closed: one that is closed over bytes that nobody read resets
    /// the connection, and the client loses what it has not read yet. A client that never ends is not heard for long.
    /// </summary>
    public async Task EndAsync()
    {
        try
        {
            Socket.Shutdown(SocketShutdown.Send);
            using var patience = new CancellationTokenSource(s_patience, _clock);
            while (await Transport.Input.ReadAsync(patience.Token) is { IsCompleted: false } read)
            {
                Transport.Input.AdvanceTo(read.Buffer.End);
            }
        }
        catch (Exception left) when (left is SocketException or IOException or OperationCanceledException or ObjectDisposedException)
        {
        }

        await Transport.Output.CompleteAsync();
    }

    public override void Abort(ConnectionAbortedException abortReason)
    {
        // A taken connection ends when the handler's bytes are sent; Kestrel's way to end it at once would lose them.
        if (!_taken)
        {
            _inner.Abort(abortReason);
        }
    }

    public override void Abort() => Abort(new ConnectionAbortedException());

    public override async ValueTask DisposeAsync()
    {
        await _innerClosed.DisposeAsync();
        _closed.Dispose();
        await base.DisposeAsync();
    }

    private Socket Socket => Features.GetRequiredFeature<IConnectionSocketFeature>().Socket;

    private void OnInnerClosed()
    {
        if (!_taken)
        {
            _closed.Cancel();
        }
    }
}

using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;

namespace Skep.Network.Dns;

/// <summary>
/// One thread that answers the datagrams of all sandboxes: epoll tells which sockets have some, recvmmsg takes up to 32 at once,
/// and sendmmsg sends their answers, those to one asker as one train, so a busy asker costs two system calls and about one way through the
/// kernel per batch instead of two and one per name.
/// </summary>
internal sealed unsafe class DatagramPump : IDisposable
{
    private const int Batch = 32;
    private const int MostBytes = 4096;

    private readonly int _epoll;
    private readonly int _wake;
    private readonly Thread _thread;
    private readonly ConcurrentDictionary<int, DatagramService> _services = new();
    private readonly ILogger _log;
    private volatile bool _stopping;

    public DatagramPump(ILogger log)
    {
        _log = log;
        _epoll = Check(DnsNative.EpollCreate(DnsNative.CloseOnExec), "epoll_create1");
        _wake = Check(DnsNative.EventDescriptor(0, DnsNative.CloseOnExec | DnsNative.NonBlocking), "eventfd");
        Watch(_wake);
        _thread = new Thread(Run) { IsBackground = true, Name = "skep-names" };
        _thread.Start();
    }

    /// <summary>Serves the socket from now on. It must stay open until <see cref="Remove"/>.</summary>
    public void Add(DatagramService service)
    {
        var descriptor = (int)service.Socket.SafeHandle.DangerousGetHandle();
        _services[descriptor] = service;
        Watch(descriptor);
    }

    /// <summary>Returns when the thread no longer uses the socket.</summary>
    public void Remove(DatagramService service)
    {
        var descriptor = (int)service.Socket.SafeHandle.DangerousGetHandle();
        if (_services.TryRemove(descriptor, out _))
        {
            _ = DnsNative.EpollControl(_epoll, DnsNative.EpollDelete, descriptor, null);
            lock (service)
            {
                service.Closed = true;
            }
        }
    }

    public void Dispose()
    {
        _stopping = true;
        ulong one = 1;
        _ = DnsNative.Write(_wake, &one, sizeof(ulong));
        _thread.Join();
        _ = DnsNative.Close(_wake);
        _ = DnsNative.Close(_epoll);
    }

    private void Watch(int descriptor)
    {
        var interest = stackalloc byte[DnsNative.EpollEventSize];
        DnsNative.SetEvent(interest, DnsNative.EpollIn, descriptor);
        Check(DnsNative.EpollControl(_epoll, DnsNative.EpollAdd, descriptor, interest), "epoll_ctl");
    }

    private void Run()
    {
        using var buffers = new DatagramBuffers(Batch, MostBytes);
        using var trains = new AnswerTrains(Batch);
        var events = stackalloc byte[64 * DnsNative.EpollEventSize];
        while (!_stopping)
        {
            var ready = DnsNative.EpollWait(_epoll, events, 64, -1);
            for (var i = 0; i < ready && !_stopping; i++)
            {
                var descriptor = DnsNative.DescriptorOf(events + (i * DnsNative.EpollEventSize));
                if (_services.TryGetValue(descriptor, out var service))
                {
                    Serve(descriptor, service, buffers, trains);
                }
            }
        }
    }

    private void Serve(int descriptor, DatagramService service, DatagramBuffers buffers, AnswerTrains trains)
    {
        lock (service)
        {
            if (service.Closed)
            {
                return;
            }

            var received = DnsNative.ReceiveMany(descriptor, buffers.Incoming(), Batch, DnsNative.DontWait, null);
            if (received > 0)
            {
                buffers.Received(received);
                var answers = Answer(service, buffers, received);
                Send(descriptor, trains, trains.Couple(buffers.Outgoing(0), answers));
            }
        }
    }

    private int Answer(DatagramService service, DatagramBuffers buffers, int received)
    {
        var outgoing = 0;
        for (var i = 0; i < received; i++)
        {
            try
            {
                var query = buffers.Query(i);
                var length = service.Responder.Answer(query, buffers.Answer(outgoing), overUdp: true);
                if (length > 0)
                {
                    buffers.Reply(outgoing++, i, length);
                }
                else if (length == 0)
                {
                    service.Forward(query.ToArray(), buffers.Sender(i));
                }
            }
            catch (Exception e)
            {
                // One bad query must not take the answers of others with it.
                _log.QueryBroke(e);
            }
        }

        return outgoing;
    }

    private static void Send(int descriptor, AnswerTrains trains, int count)
    {
        for (var sent = 0; sent < count;)
        {
            var gone = DnsNative.SendMany(descriptor, trains[sent], (uint)(count - sent), DnsNative.DontWait);
            if (gone <= 0)
            {
                // An asker that is gone, or a full buffer, costs its own answers only.
                SendApart(descriptor, trains[sent]);
            }

            sent += Math.Max(1, gone);
        }
    }

    /// <summary>A route that takes no trains (one through IPsec, or a loopback with a small MTU) takes their answers one by one.</summary>
    private static void SendApart(int descriptor, DnsNative.MessageHeader* train)
    {
        for (var car = 0; train->VectorCount > 1 && car < (int)train->VectorCount; car++)
        {
            var alone = new DnsNative.MessageHeader { Name = train->Name, NameLength = train->NameLength, Vectors = train->Vectors + car, VectorCount = 1 };
            _ = DnsNative.SendMany(descriptor, &alone, 1, DnsNative.DontWait);
        }
    }

    private static int Check(int result, string call) =>
        result >= 0 ? result : throw new IOException($"{call}: {Marshal.GetLastPInvokeErrorMessage()}");
}

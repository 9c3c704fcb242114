using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Runtime.ExceptionServices;
using Microsoft.Win32.SafeHandles;
using Skep.Kernel.Native;

namespace Skep.Kernel.Namespaces;

/// <summary>
/// An operating system thread of our own that visits namespaces. The runtime's pool is never used: a pool thread that failed to
/// come back would carry other code into a foreign network. A thread that cannot come home ends instead of being used again.
/// </summary>
internal sealed class NamespaceThread
{
    private const int MostIdle = 4;

    // The namespace of the process, taken from its main thread: a thread started during a visit would inherit the visited one.
    private static readonly SafeFileHandle s_home = Libc.Open("/proc/self/ns/net");
    private static readonly ConcurrentBag<NamespaceThread> s_idle = [];

    // The runtime starts its threads for sockets with the first wait for one, and whatever they start is born where they are.
    static NamespaceThread() => StartSocketThreads();

    private readonly object _gate = new();
    private State _state = State.Idle;
    private SafeFileHandle? _target;
    private Action? _body;
    private ExceptionDispatchInfo? _failure;
    private bool _lost;

    private NamespaceThread() => new Thread(Loop) { IsBackground = true, Name = "skep-netns" }.UnsafeStart();

    private enum State
    {
        Idle,
        Visiting,
        Ended,
    }

    /// <summary>Runs <paramref name="body"/> in <paramref name="target"/> (null: at home, for a body that leaves by itself) and comes back.</summary>
    public static T Run<T>(SafeFileHandle? target, Func<T> body)
    {
        T result = default!;
        var thread = s_idle.TryTake(out var idle) ? idle : new NamespaceThread();
        var failure = thread.Visit(target, () => result = body());
        if (thread._lost || s_idle.Count >= MostIdle)
        {
            thread.Become(State.Ended);
        }
        else
        {
            s_idle.Add(thread);
        }

        failure?.Throw();
        return result;
    }

    private static void StartSocketThreads()
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        using var enough = new CancellationTokenSource();
        var waiting = socket.ReceiveAsync(new byte[1], SocketFlags.None, enough.Token).AsTask();
        enough.Cancel();
        waiting.ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
    }

    private ExceptionDispatchInfo? Visit(SafeFileHandle? target, Action body)
    {
        (_target, _body, _failure) = (target, body, null);
        Become(State.Visiting);
        AwaitNot(State.Visiting);
        var failure = _failure;
        (_target, _body, _failure) = (null, null, null);
        return failure;
    }

    private void Loop()
    {
        _lost = Libc.SetNamespace(s_home, Libc.CLONE_NEWNET) != 0;
        while (AwaitNot(State.Idle) == State.Visiting)
        {
            try
            {
                Enter();
                _body!();
            }
            catch (Exception failure)
            {
                _failure = ExceptionDispatchInfo.Capture(failure);
            }

            _lost |= Libc.SetNamespace(s_home, Libc.CLONE_NEWNET) != 0;
            Become(State.Idle);
        }
    }

    private void Enter()
    {
        if (_lost)
        {
            throw new IOException("the thread could not enter the namespace of its own process");
        }

        if (_target is not null && Libc.SetNamespace(_target, Libc.CLONE_NEWNET) != 0)
        {
            throw Libc.LastError("enter a network namespace");
        }
    }

    private void Become(State next)
    {
        lock (_gate)
        {
            _state = next;
            Monitor.PulseAll(_gate);
        }
    }

    private State AwaitNot(State state)
    {
        lock (_gate)
        {
            while (_state == state)
            {
                Monitor.Wait(_gate);
            }

            return _state;
        }
    }
}

using System.Buffers.Binary;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Skep.Kernel.Namespaces;

namespace Skep.Bench.Names;

/// <summary>
/// One socket that always has as many questions outstanding as its window is wide. A question's number says the place in the window and which turn of that
/// place it is, so an answer that comes twice, late or to something else is a stray and is not counted.
/// </summary>
internal sealed unsafe class FloodSocket : IDisposable
{
    private const int MostBytes = 4096;
    private const int PlaceBits = 6;

    private readonly Socket _socket;
    private readonly byte[] _question;
    private readonly int _end;
    private readonly int _records;
    private readonly int _window;
    private readonly byte* _questions;
    private readonly byte* _answers;
    private readonly FloodNative.Message* _outgoing;
    private readonly FloodNative.Message* _incoming;
    private readonly FloodNative.Vector* _vectors;
    private readonly ushort[] _turns;
    private readonly long[] _asked;
    private readonly int[] _free;

    /// <param name="space">Where it asks 127.0.0.11.</param>
    /// <param name="name">The name whose IPv4 addresses it asks for.</param>
    /// <param name="records">How many records the right answer has.</param>
    /// <param name="window">Questions outstanding, at most 64.</param>
    public FloodSocket(NetworkNamespace space, string name, int records, int window)
    {
        var question = NameQuestion.Of(name, extended: true);
        (_question, _end, _records, _window) = (question, question.Length - NameQuestion.OptSize, records, window);
        _socket = space.Run(() => new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp));
        _socket.Connect(IPAddress.Parse("127.0.0.11"), 53);
        Descriptor = (int)_socket.SafeHandle.DangerousGetHandle();
        _questions = Allocate<byte>(window * question.Length);
        _answers = Allocate<byte>(window * MostBytes);
        _outgoing = Allocate<FloodNative.Message>(window);
        _incoming = Allocate<FloodNative.Message>(window);
        _vectors = Allocate<FloodNative.Vector>(2 * window);
        _turns = new ushort[window];
        _asked = new long[window];
        _free = [.. Enumerable.Range(0, window)];
        for (var i = 0; i < window; i++)
        {
            question.CopyTo(new Span<byte>(_questions + (i * question.Length), question.Length));
            _vectors[i] = new FloodNative.Vector { Base = _answers + (i * MostBytes), Length = MostBytes };
            _incoming[i] = new FloodNative.Message { Vectors = _vectors + i, VectorCount = 1 };
            _outgoing[i] = new FloodNative.Message { Vectors = _vectors + window + i, VectorCount = 1 };
        }
    }

    public int Descriptor { get; }

    /// <summary>Asks in every free place of the window, all by one system call where the kernel takes them.</summary>
    public void Ask(int free, FloodCount count)
    {
        var now = Stopwatch.GetTimestamp();
        for (var i = 0; i < free; i++)
        {
            var place = _free[i];
            var text = _questions + (place * _question.Length);
            _turns[place]++;
            _asked[place] = now;
            BinaryPrimitives.WriteUInt16BigEndian(new Span<byte>(text, 2), Number(place));
            _vectors[_window + i] = new FloodNative.Vector { Base = text, Length = (nuint)_question.Length };
        }

        for (var sent = 0; sent < free;)
        {
            // What the kernel does not take is never answered, and lost when its time is over.
            sent += Math.Max(1, FloodNative.SendMany(Descriptor, _outgoing + sent, (uint)(free - sent), 0));
        }

        count.Asked += free;
    }

    /// <summary>Takes the answers that are there and checks each; returns how many places are free by that.</summary>
    public int Hear(FloodCount count)
    {
        var (free, came) = (0, FloodNative.ReceiveMany(Descriptor, _incoming, (uint)_window, FloodNative.DontWait, null));
        var now = came > 0 ? Stopwatch.GetTimestamp() : 0;
        for (var i = 0; i < came; i++)
        {
            var answer = new ReadOnlySpan<byte>(_answers + (i * MostBytes), (int)_incoming[i].Transferred);
            var place = answer.Length < 2 ? -1 : BinaryPrimitives.ReadUInt16BigEndian(answer) & ((1 << PlaceBits) - 1);
            if (place < 0 || place >= _window || _asked[place] == 0 || BinaryPrimitives.ReadUInt16BigEndian(answer) != Number(place))
            {
                count.Strays++;
                continue;
            }

            count.Heard(now - _asked[place], IsRight(answer));
            _asked[place] = 0;
            _free[free++] = place;
        }

        return free;
    }

    /// <summary>Gives up what was asked before that moment; returns how many places are free by that.</summary>
    public int GiveUp(long before, FloodCount count)
    {
        var free = 0;
        for (var place = 0; place < _window; place++)
        {
            if (_asked[place] != 0 && _asked[place] < before)
            {
                _asked[place] = 0;
                _free[free++] = place;
            }
        }

        count.Lost += free;
        return free;
    }

    public void Dispose()
    {
        _socket.Dispose();
        NativeMemory.Free(_questions);
        NativeMemory.Free(_answers);
        NativeMemory.Free(_outgoing);
        NativeMemory.Free(_incoming);
        NativeMemory.Free(_vectors);
    }

    private static T* Allocate<T>(int count)
        where T : unmanaged => (T*)NativeMemory.AllocZeroed((nuint)count, (nuint)sizeof(T));

    private ushort Number(int place) => (ushort)((_turns[place] << PlaceBits) | place);

    /// <summary>A response without error to just this question, whole, with as many records as wanted (RFC 1035, 4.1.1).</summary>
    private bool IsRight(ReadOnlySpan<byte> answer) =>
        answer.Length >= _question.Length && (answer[2] & 0x82) == 0x80 && (answer[3] & 0x0f) == 0
        && BinaryPrimitives.ReadUInt16BigEndian(answer[6..]) == _records
        && answer[12.._end].SequenceEqual(_question.AsSpan(12, _end - 12));
}

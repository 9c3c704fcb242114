using System.Runtime.InteropServices;

namespace Skep.Network.Dns;

/// <summary>
/// Couples the answers of a batch that go to one asker, so that the kernel carries them through its layers once and cuts them apart again
/// at the asker's socket (UDP_SEGMENT, udp(7), Linux 4.18); sending is most of what a name costs. All cars of a train are of one length but the last, which may be
/// shorter: the two addresses that a program asks for at once, IPv4 and IPv6, often travel together. Not thread-safe.
/// </summary>
internal sealed unsafe class AnswerTrains : IDisposable
{
    /// <summary>UDP_MAX_SEGMENTS before Linux 6.9.</summary>
    public const int MostCars = 64;

    // Longer ones go alone: an Ethernet MTU less the headers, in case somebody gave the loopback that of a wire.
    private const int LongestCar = 1472;

    // CMSG_SPACE of two bytes: a struct cmsghdr of 16 and the value, aligned to eight.
    private const int ControlSize = 24;
    private const int ControlLength = 18;

    private readonly int _count;
    private readonly DnsNative.MessageHeader* _trains;
    private readonly DnsNative.IoVector* _cars;
    private readonly byte* _controls;
    private readonly bool[] _coupled;

    /// <param name="count">The most answers of a batch.</param>
    public AnswerTrains(int count)
    {
        _count = count;
        _trains = (DnsNative.MessageHeader*)NativeMemory.AllocZeroed((nuint)count, (nuint)sizeof(DnsNative.MessageHeader));
        _cars = (DnsNative.IoVector*)NativeMemory.AllocZeroed((nuint)count, (nuint)sizeof(DnsNative.IoVector));
        _controls = (byte*)NativeMemory.AllocZeroed((nuint)count, ControlSize);
        _coupled = new bool[count];
    }

    public DnsNative.MessageHeader* this[int train] => _trains + train;

    /// <summary>Makes the trains of these answers, of one vector each, and returns how many there are. Answers of one length to one asker keep their order.</summary>
    public int Couple(DnsNative.MessageHeader* answers, int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, _count);
        Array.Clear(_coupled, 0, count);
        var (trains, cars) = (0, 0);
        for (var first = 0; first < count; first++)
        {
            if (!_coupled[first])
            {
                var length = CoupleTo(first, answers, count, _cars + cars);
                var control = length > 1 ? Control(trains, (ushort)_cars[cars].Length) : null;
                _trains[trains++] = new DnsNative.MessageHeader
                {
                    Name = answers[first].Name,
                    NameLength = answers[first].NameLength,
                    Vectors = _cars + cars,
                    VectorCount = (nuint)length,
                    Control = control,
                    ControlLength = control is null ? 0 : (nuint)ControlSize,
                };
                cars += length;
            }
        }

        return trains;
    }

    public void Dispose()
    {
        NativeMemory.Free(_trains);
        NativeMemory.Free(_cars);
        NativeMemory.Free(_controls);
    }

    /// <summary>Lays the first one's car and those that follow it; returns their count.</summary>
    private int CoupleTo(int first, DnsNative.MessageHeader* answers, int count, DnsNative.IoVector* cars)
    {
        var asker = (DnsNative.SocketAddress*)answers[first].Name;
        var size = answers[first].Vectors->Length;
        cars[0] = *answers[first].Vectors;
        var length = 1;
        for (var next = first + 1; next < count && size <= LongestCar && length < MostCars && (length + 1) * (int)size <= ushort.MaxValue - 28; next++)
        {
            var other = (DnsNative.SocketAddress*)answers[next].Name;
            if (_coupled[next] || other->Port != asker->Port || other->Address != asker->Address || answers[next].Vectors->Length > size)
            {
                continue;
            }

            _coupled[next] = true;
            cars[length++] = *answers[next].Vectors;
            if (answers[next].Vectors->Length < size)
            {
                break;
            }
        }

        return length;
    }

    private byte* Control(int train, ushort size)
    {
        var control = _controls + (train * ControlSize);
        *(nuint*)control = ControlLength;
        *(int*)(control + 8) = DnsNative.UdpLevel;
        *(int*)(control + 12) = DnsNative.UdpSegment;
        *(ushort*)(control + 16) = size;
        return control;
    }
}

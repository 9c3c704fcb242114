using System.Buffers.Binary;
using System.Net;
using System.Runtime.InteropServices;

namespace Skep.Network.Dns;

/// <summary>The memory of a batch of datagrams, laid out once as the kernel wants it. Not thread-safe.</summary>
internal sealed unsafe class DatagramBuffers : IDisposable
{
    private readonly int _count;
    private readonly int _size;
    private readonly byte* _in;
    private readonly byte* _out;
    private readonly DnsNative.SocketAddress* _names;
    private readonly DnsNative.IoVector* _inVectors;
    private readonly DnsNative.IoVector* _outVectors;
    private readonly DnsNative.MessageHeader* _inHeaders;
    private readonly DnsNative.MessageHeader* _outHeaders;
    private int _used;

    public DatagramBuffers(int count, int size)
    {
        (_count, _size) = (count, size);
        _in = (byte*)NativeMemory.AllocZeroed((nuint)count, (nuint)size);
        _out = (byte*)NativeMemory.AllocZeroed((nuint)count, (nuint)size);
        _names = (DnsNative.SocketAddress*)NativeMemory.AllocZeroed((nuint)count, (nuint)sizeof(DnsNative.SocketAddress));
        _inVectors = (DnsNative.IoVector*)NativeMemory.AllocZeroed((nuint)count, (nuint)sizeof(DnsNative.IoVector));
        _outVectors = (DnsNative.IoVector*)NativeMemory.AllocZeroed((nuint)count, (nuint)sizeof(DnsNative.IoVector));
        _inHeaders = (DnsNative.MessageHeader*)NativeMemory.AllocZeroed((nuint)count, (nuint)sizeof(DnsNative.MessageHeader));
        _outHeaders = (DnsNative.MessageHeader*)NativeMemory.AllocZeroed((nuint)count, (nuint)sizeof(DnsNative.MessageHeader));
        _used = count;
    }

    /// <summary>Headers for receiving, fresh where the kernel has written into them.</summary>
    public DnsNative.MessageHeader* Incoming()
    {
        for (var i = 0; i < _used; i++)
        {
            _inVectors[i] = new DnsNative.IoVector { Base = _in + (i * _size), Length = (nuint)_size };
            _inHeaders[i] = new DnsNative.MessageHeader { Name = _names + i, NameLength = (uint)sizeof(DnsNative.SocketAddress), Vectors = _inVectors + i, VectorCount = 1 };
        }

        _used = 0;
        return _inHeaders;
    }

    /// <summary>So many datagrams came.</summary>
    public void Received(int count) => _used = count;

    public ReadOnlySpan<byte> Query(int index) => new(_in + (index * _size), (int)_inHeaders[index].Transferred);

    public Span<byte> Answer(int index) => new(_out + (index * _size), _size);

    /// <summary>The sandbox's own 127.x address and port.</summary>
    public IPEndPoint Sender(int index) =>
        new(new IPAddress(_names[index].Address), BinaryPrimitives.ReverseEndianness(_names[index].Port));

    /// <summary>Answer number <paramref name="index"/> goes to the sender of query number <paramref name="query"/>.</summary>
    public void Reply(int index, int query, int length)
    {
        _outVectors[index] = new DnsNative.IoVector { Base = _out + (index * _size), Length = (nuint)length };
        _outHeaders[index] = new DnsNative.MessageHeader { Name = _names + query, NameLength = (uint)sizeof(DnsNative.SocketAddress), Vectors = _outVectors + index, VectorCount = 1 };
    }

    public DnsNative.MessageHeader* Outgoing(int index) => _outHeaders + index;

    public void Dispose()
    {
        NativeMemory.Free(_in);
        NativeMemory.Free(_out);
        NativeMemory.Free(_names);
        NativeMemory.Free(_inVectors);
        NativeMemory.Free(_outVectors);
        NativeMemory.Free(_inHeaders);
        NativeMemory.Free(_outHeaders);
    }
}

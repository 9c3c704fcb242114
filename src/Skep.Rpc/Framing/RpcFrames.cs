using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using Google.Protobuf;

namespace Skep.Rpc.Framing;

/// <summary>
/// Messages in an HTTP/2 body: a flag byte (1 = compressed), the length as four bytes, highest first, and the protobuf bytes.
/// </summary>
internal static class RpcFrames
{
    public const int HeaderLength = 5;

    /// <summary>The longest message that is read; a longer one is refused before any of it is kept.</summary>
    public const int LongestMessage = 64 * 1024 * 1024;

    public const string ContentType = "application/grpc";

    /// <summary>The next message; null at a clean end of the body.</summary>
    /// <exception cref="RpcException">The body is not made of such frames.</exception>
    public static async ValueTask<T?> ReadAsync<T>(PipeReader reader, CancellationToken cancellationToken)
        where T : class, IMessage<T>, new()
    {
        var head = await reader.ReadAtLeastAsync(HeaderLength, cancellationToken);
        if (head.Buffer.Length < HeaderLength)
        {
            return head.Buffer.IsEmpty ? null : throw Truncated();
        }

        var frame = HeaderLength + ReadLength(head.Buffer);
        if (head.Buffer.Length >= frame)
        {
            return Take<T>(reader, head.Buffer.Slice(0, frame));
        }

        reader.AdvanceTo(head.Buffer.Start, head.Buffer.End);
        var whole = await reader.ReadAtLeastAsync(frame, cancellationToken);
        return whole.Buffer.Length < frame ? throw Truncated() : Take<T>(reader, whole.Buffer.Slice(0, frame));
    }

    /// <summary>Writes the frame of <paramref name="message"/> into <paramref name="output"/>.</summary>
    public static void Write<T>(IBufferWriter<byte> output, T message)
        where T : class, IMessage<T>
    {
        var size = message.CalculateSize();
        WriteHeader(output.GetSpan(HeaderLength), size);
        output.Advance(HeaderLength);
        message.WriteTo(output);
    }

    /// <summary>Writes the frame of <paramref name="message"/> with one write, from a pooled array.</summary>
    public static async ValueTask WriteAsync<T>(Stream output, T message, CancellationToken cancellationToken)
        where T : class, IMessage<T>
    {
        var size = message.CalculateSize();
        var array = ArrayPool<byte>.Shared.Rent(HeaderLength + size);
        try
        {
            WriteHeader(array, size);
            message.WriteTo(array.AsSpan(HeaderLength, size));
            await output.WriteAsync(array.AsMemory(0, HeaderLength + size), cancellationToken);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(array);
        }
    }

    private static void WriteHeader(Span<byte> span, int size)
    {
        span[0] = 0;
        BinaryPrimitives.WriteUInt32BigEndian(span[1..], (uint)size);
    }

    private static int ReadLength(ReadOnlySequence<byte> buffer)
    {
        Span<byte> header = stackalloc byte[HeaderLength];
        buffer.Slice(0, HeaderLength).CopyTo(header);
        switch (header[0])
        {
            case 0: break;
            case 1: throw new RpcException(RpcStatusCode.Unimplemented, "The message is compressed, and no compression was agreed.");
            default: throw new RpcException(RpcStatusCode.Internal, $"A message begins with the unknown flag {header[0]}.");
        }

        var length = BinaryPrimitives.ReadUInt32BigEndian(header[1..]);
        return length <= LongestMessage
            ? (int)length
            : throw new RpcException(RpcStatusCode.ResourceExhausted, $"A message of {length} bytes is longer than the {LongestMessage} that are read.");
    }

    private static T Take<T>(PipeReader reader, ReadOnlySequence<byte> frame)
        where T : class, IMessage<T>, new()
    {
        try
        {
            var message = Parser<T>.Instance.ParseFrom(frame.Slice(HeaderLength));
            reader.AdvanceTo(frame.End);
            return message;
        }
        catch (InvalidProtocolBufferException malformed)
        {
            throw new RpcException(RpcStatusCode.Internal, $"A message is no {typeof(T).Name}: {malformed.Message}", malformed);
        }
    }

    private static RpcException Truncated() => new(RpcStatusCode.Internal, "The body ends within a message.");

    private static class Parser<T>
        where T : class, IMessage<T>, new()
    {
        public static readonly MessageParser<T> Instance = new(static () => new T());
    }
}

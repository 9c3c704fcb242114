using System.Buffers.Binary;

namespace Skep.Network.Dns;

/// <summary>Types and codes of RFC 1035, 2782, 3596 and 6891 that are used here.</summary>
internal static class DnsNumbers
{
    public const ushort A = 1;
    public const ushort Ptr = 12;
    public const ushort Aaaa = 28;
    public const ushort Srv = 33;
    public const ushort Opt = 41;
    public const ushort In = 1;
    public const int HeaderSize = 12;

    public const byte NoError = 0;
    public const byte FormatError = 1;
    public const byte ServerFailure = 2;
    public const byte NotImplemented = 4;
    public const byte Refused = 5;
}

/// <summary>A query with its one question. Name is lower case, without a dot at the end; it lives in the caller's buffer.</summary>
internal ref struct DnsQuestion
{
    /// <summary>Characters that the buffer of a name needs.</summary>
    public const int LongestName = 256;

    public ushort Type;
    public ushort Class;
    public ReadOnlySpan<char> Name;

    /// <summary>Bytes of header and question together.</summary>
    public int End;

    /// <summary>The largest answer over UDP that the asker takes: 512, or what its OPT record says.</summary>
    public int PayloadSize;

    /// <summary>Reads a query. False: it is not one that can be answered (a response, no question, a broken name).</summary>
    public static bool TryRead(ReadOnlySpan<byte> message, Span<char> nameBuffer, out DnsQuestion question)
    {
        question = default;
        if (message.Length < DnsNumbers.HeaderSize || (message[2] & 0xf8) != 0 || BinaryPrimitives.ReadUInt16BigEndian(message[4..]) != 1)
        {
            return false;
        }

        var at = DnsNumbers.HeaderSize;
        if (!TryReadName(message, ref at, nameBuffer, out var length) || at + 4 > message.Length)
        {
            return false;
        }

        question.Name = nameBuffer[..length];
        question.Type = BinaryPrimitives.ReadUInt16BigEndian(message[at..]);
        question.Class = BinaryPrimitives.ReadUInt16BigEndian(message[(at + 2)..]);
        question.End = at + 4;
        question.PayloadSize = PayloadSizeOf(message, question.End);
        return true;
    }

    private static bool TryReadName(ReadOnlySpan<byte> message, ref int at, Span<char> name, out int length)
    {
        length = 0;
        while (at < message.Length)
        {
            int label = message[at++];
            if (label == 0)
            {
                return true;
            }

            // A question's name stands first, so there is nothing that it could point to.
            if (label > 63 || at + label > message.Length || length + label + 1 > name.Length)
            {
                return false;
            }

            if (length > 0)
            {
                name[length++] = '.';
            }

            foreach (var b in message.Slice(at, label))
            {
                name[length++] = b is >= (byte)'A' and <= (byte)'Z' ? (char)(b | 0x20) : (char)b;
            }

            at += label;
        }

        return false;
    }

    private static int PayloadSizeOf(ReadOnlySpan<byte> message, int end)
    {
        // A query carries nothing else, so an OPT record follows its question: root name, type, and the size in place of a class.
        var hasOpt = BinaryPrimitives.ReadUInt16BigEndian(message[10..]) > 0 && message.Length >= end + 11
            && message[end] == 0 && BinaryPrimitives.ReadUInt16BigEndian(message[(end + 1)..]) == DnsNumbers.Opt;
        return hasOpt ? Math.Max((ushort)512, BinaryPrimitives.ReadUInt16BigEndian(message[(end + 3)..])) : 512;
    }
}

using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Text;

namespace Skep.Network.Dns;

/// <summary>Writes answers. The answer's buffer may be the query's own: the question stays where it is.</summary>
internal static class DnsAnswer
{
    /// <summary>The bit of the header's third byte that says that not all is there.</summary>
    public const byte Truncated = 0x02;

    // Docker's figure; names change at once all the same, since clients in containers rarely cache and ours is the only server.
    private const uint TimeToLive = 600;

    /// <summary>An answer of a code and no records. Returns its length.</summary>
    public static int Empty(ReadOnlySpan<byte> query, int end, byte code, Span<byte> answer)
    {
        Begin(query, end, answer, code);
        return end;
    }

    /// <summary>
    /// Addresses of one family, beginning at <paramref name="turn"/>, so that askers who take the first get different ones.
    /// What does not fit into <paramref name="limit"/> is left out and the answer marked as truncated.
    /// </summary>
    public static int Addresses(ReadOnlySpan<byte> query, in DnsQuestion question, AddressRecords records, uint turn, int limit, Span<byte> answer)
    {
        Begin(query, question.End, answer, DnsNumbers.NoError);
        var fit = Math.Min(records.Count, (limit - question.End) / records.Size);
        if (fit < records.Count)
        {
            answer[2] |= Truncated;
        }

        var length = records.CopyTo(answer[question.End..], (int)(turn % (uint)records.Count), fit);
        BinaryPrimitives.WriteUInt16BigEndian(answer[6..], (ushort)fit);
        return question.End + length;
    }

    public static int Pointer(ReadOnlySpan<byte> query, in DnsQuestion question, string name, Span<byte> answer)
    {
        Begin(query, question.End, answer, DnsNumbers.NoError);
        BinaryPrimitives.WriteUInt16BigEndian(answer[question.End..], 0xc000 | DnsNumbers.HeaderSize);
        var at = Head(answer, question.End + 2, DnsNumbers.Ptr, (ushort)(name.Length + 2));
        at = Name(answer, at, name);
        BinaryPrimitives.WriteUInt16BigEndian(answer[6..], 1);
        return at;
    }

    /// <summary>RFC 2782: priority 0, weight 0, port and target of each; then the targets' IPv4 addresses as far as there is room.</summary>
    public static int Services(ReadOnlySpan<byte> query, in DnsQuestion question, IReadOnlyList<ServiceTarget> services, int limit, Span<byte> answer)
    {
        Begin(query, question.End, answer, DnsNumbers.NoError);
        var at = question.End;
        ushort count = 0;
        foreach (var (target, port, _) in services)
        {
            if (at + 20 + target.Length > limit)
            {
                answer[2] |= Truncated;
                break;
            }

            BinaryPrimitives.WriteUInt16BigEndian(answer[at..], 0xc000 | DnsNumbers.HeaderSize);
            at = Head(answer, at + 2, DnsNumbers.Srv, (ushort)(target.Length + 8));
            BinaryPrimitives.WriteUInt32BigEndian(answer[at..], 0);
            BinaryPrimitives.WriteUInt16BigEndian(answer[(at + 4)..], port);
            at = Name(answer, at + 6, target);
            count++;
        }

        BinaryPrimitives.WriteUInt16BigEndian(answer[6..], count);
        return TargetAddresses(services, count, limit, answer, at);
    }

    /// <summary>The records of an address list: a pointer to the question's name (RFC 1035 4.1.4), and the address.</summary>
    public static byte[] Records(ushort type, IReadOnlyList<byte[]> addresses)
    {
        var size = addresses.Count == 0 ? 0 : addresses[0].Length + 12;
        var records = new byte[size * addresses.Count];
        for (var i = 0; i < addresses.Count; i++)
        {
            var record = records.AsSpan(i * size, size);
            BinaryPrimitives.WriteUInt16BigEndian(record, 0xc000 | DnsNumbers.HeaderSize);
            Head(record, 2, type, (ushort)addresses[i].Length);
            addresses[i].CopyTo(record[12..]);
        }

        return records;
    }

    /// <summary>It can be written into an answer: labels of 1 to 63 bytes, 255 bytes together (RFC 1035 2.3.4). Names of containers may be longer.</summary>
    public static bool IsName(string name) => name.Length <= 253 && name.Split('.').All(label => label.Length is > 0 and <= 63);

    /// <summary>The address in a name under in-addr.arpa or ip6.arpa; null when it is none.</summary>
    public static IPAddress? AddressOf(ReadOnlySpan<char> reverseName)
    {
        const string Four = ".in-addr.arpa";
        const string Six = ".ip6.arpa";
        if (reverseName.EndsWith(Four))
        {
            var parts = reverseName[..^Four.Length].ToString().Split('.');
            Array.Reverse(parts);
            return parts.Length == 4 && IPAddress.TryParse(string.Join('.', parts), out var four) ? four : null;
        }

        if (reverseName.EndsWith(Six) && reverseName.Length == 63 + Six.Length)
        {
            Span<byte> six = stackalloc byte[16];
            for (var i = 0; i < 32; i++)
            {
                if (!byte.TryParse(reverseName.Slice(62 - (2 * i), 1), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var digit))
                {
                    return null;
                }

                six[i / 2] = (byte)((six[i / 2] << 4) | digit);
            }

            return new IPAddress(six);
        }

        return null;
    }

    private static void Begin(ReadOnlySpan<byte> query, int end, Span<byte> answer, byte code)
    {
        query[..end].CopyTo(answer);
        answer[2] = (byte)(0x80 | (query[2] & 0x79));
        answer[3] = (byte)(0x80 | code);
        answer.Slice(6, 6).Clear();
    }

    private static int TargetAddresses(IReadOnlyList<ServiceTarget> services, int count, int limit, Span<byte> answer, int at)
    {
        ushort more = 0;
        foreach (var (target, _, addresses) in services.Take(count))
        {
            foreach (var (records, type) in new[] { (addresses.V4, DnsNumbers.A), (addresses.V6, DnsNumbers.Aaaa) })
            {
                for (var i = 0; i < records.Count; i++)
                {
                    var address = records.AddressAt(i);
                    if (at + target.Length + 12 + address.Length > limit)
                    {
                        return at;
                    }

                    at = Name(answer, at, target);
                    at = Head(answer, at, type, (ushort)address.Length);
                    address.CopyTo(answer[at..]);
                    at += address.Length;
                    BinaryPrimitives.WriteUInt16BigEndian(answer[10..], ++more);
                }
            }
        }

        return at;
    }

    private static int Head(Span<byte> answer, int at, ushort type, ushort length)
    {
        BinaryPrimitives.WriteUInt16BigEndian(answer[at..], type);
        BinaryPrimitives.WriteUInt16BigEndian(answer[(at + 2)..], DnsNumbers.In);
        BinaryPrimitives.WriteUInt32BigEndian(answer[(at + 4)..], TimeToLive);
        BinaryPrimitives.WriteUInt16BigEndian(answer[(at + 8)..], length);
        return at + 10;
    }

    private static int Name(Span<byte> answer, int at, string name)
    {
        foreach (var label in name.Split('.'))
        {
            answer[at] = (byte)Encoding.ASCII.GetBytes(label, answer[(at + 1)..]);
            at += answer[at] + 1;
        }

        answer[at] = 0;
        return at + 1;
    }
}

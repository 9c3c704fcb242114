using System.Buffers.Binary;
using System.Net;
using System.Text;

namespace Skep.Testing.Dns;

/// <summary>A DNS message as a test sees it (RFC 1035 4), read without any of the product's code.</summary>
public sealed record DnsMessage(ushort Id, ushort Flags, string Question, ushort Type)
{
    public const ushort A = 1;
    public const ushort Ptr = 12;
    public const ushort Mx = 15;
    public const ushort Txt = 16;
    public const ushort Aaaa = 28;
    public const ushort Srv = 33;

    public IReadOnlyList<DnsRecord> Answers { get; private init; } = [];
    public IReadOnlyList<DnsRecord> Additional { get; private init; } = [];

    public int Code => Flags & 0xf;
    public bool IsResponse => (Flags & 0x8000) != 0;
    public bool Truncated => (Flags & 0x0200) != 0;

    /// <summary>The data of each answer: an address, a name, or "priority weight port target".</summary>
    public IReadOnlyList<string> Texts => [.. Answers.Select(a => a.Text)];

    /// <summary>A query that wishes recursion; <paramref name="payload"/> adds an OPT record that allows so many bytes.</summary>
    public static byte[] Query(string name, ushort type, ushort id = 0x1234, ushort? payload = null)
    {
        var message = new List<byte> { (byte)(id >> 8), (byte)id, 1, 0, 0, 1, 0, 0, 0, 0, 0, (byte)(payload is null ? 0 : 1) };
        foreach (var label in name.Split('.', StringSplitOptions.RemoveEmptyEntries))
        {
            message.Add((byte)label.Length);
            message.AddRange(Encoding.ASCII.GetBytes(label));
        }

        message.AddRange([0, (byte)(type >> 8), (byte)type, 0, 1]);
        if (payload is { } size)
        {
            message.AddRange([0, 0, 41, (byte)(size >> 8), (byte)size, 0, 0, 0, 0, 0, 0]);
        }

        return [.. message];
    }

    /// <summary>Answers a query: its id and question, a code, and address records with the time to live 77.</summary>
    public static byte[] Reply(ReadOnlySpan<byte> query, int code, params string[] addresses)
    {
        var at = 12;
        _ = Name(query, ref at);
        var message = new List<byte>(query[..(at + 4)].ToArray());
        (message[2], message[3]) = (0x81, (byte)(0x80 | code));
        (message[6], message[7]) = ((byte)(addresses.Length >> 8), (byte)addresses.Length);
        (message[10], message[11]) = (0, 0);
        foreach (var address in addresses)
        {
            message.AddRange([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 77, 0, 4, .. IPAddress.Parse(address).GetAddressBytes()]);
        }

        return [.. message];
    }

    /// <summary>Reads a message with one question; throws when it is not whole.</summary>
    public static DnsMessage Parse(ReadOnlySpan<byte> message)
    {
        var at = 12;
        var question = Name(message, ref at);
        var type = BinaryPrimitives.ReadUInt16BigEndian(message[at..]);
        at += 4;
        var answers = Records(message, ref at, BinaryPrimitives.ReadUInt16BigEndian(message[6..]));
        var additional = Records(message, ref at, BinaryPrimitives.ReadUInt16BigEndian(message[10..]));
        if (at != message.Length)
        {
            throw new InvalidDataException($"{message.Length - at} bytes follow the message.");
        }

        return new DnsMessage(BinaryPrimitives.ReadUInt16BigEndian(message), BinaryPrimitives.ReadUInt16BigEndian(message[2..]), question, type)
        {
            Answers = answers,
            Additional = additional,
        };
    }

    private static List<DnsRecord> Records(ReadOnlySpan<byte> message, ref int at, int count)
    {
        var records = new List<DnsRecord>();
        for (var i = 0; i < count; i++)
        {
            var name = Name(message, ref at);
            var type = BinaryPrimitives.ReadUInt16BigEndian(message[at..]);
            var timeToLive = BinaryPrimitives.ReadUInt32BigEndian(message[(at + 4)..]);
            var end = at + 10 + BinaryPrimitives.ReadUInt16BigEndian(message[(at + 8)..]);
            at += 10;
            records.Add(new DnsRecord(name, type, timeToLive, Data(message[..end], at, type)));
            at = end;
        }

        return records;
    }

    private static string Data(ReadOnlySpan<byte> message, int at, ushort type)
    {
        switch (type)
        {
            case A or Aaaa:
                return new IPAddress(message[at..]).ToString();
            case Ptr:
                return Name(message, ref at);
            case Srv:
                var target = at + 6;
                return $"{Number(message, at)} {Number(message, at + 2)} {Number(message, at + 4)} {Name(message, ref target)}";
            default:
                return Convert.ToHexString(message[at..]);
        }
    }

    private static ushort Number(ReadOnlySpan<byte> message, int at) => BinaryPrimitives.ReadUInt16BigEndian(message[at..]);

    private static string Name(ReadOnlySpan<byte> message, ref int at)
    {
        var labels = new List<string>();
        while (message[at] != 0)
        {
            if (message[at] >= 0xc0)
            {
                var place = BinaryPrimitives.ReadUInt16BigEndian(message[at..]) & 0x3fff;
                at += 2;
                return string.Join('.', [.. labels, Name(message, ref place)]);
            }

            labels.Add(Encoding.Latin1.GetString(message.Slice(at + 1, message[at])));
            at += message[at] + 1;
        }

        at++;
        return string.Join('.', labels);
    }
}

/// <summary>One resource record, its data as text.</summary>
public sealed record DnsRecord(string Name, ushort Type, uint TimeToLive, string Text);

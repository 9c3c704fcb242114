namespace Skep.Network.Dns;

/// <summary>The addresses of one name and one family as finished records, so that an answer is two copies of memory.</summary>
internal sealed class AddressRecords
{
    private readonly byte[] _records;

    private AddressRecords(ushort type, IReadOnlyList<byte[]> addresses)
    {
        _records = DnsAnswer.Records(type, addresses);
        Count = addresses.Count;
        Size = Count == 0 ? 0 : _records.Length / Count;
    }

    public static AddressRecords None { get; } = new(DnsNumbers.A, []);

    public int Count { get; }

    /// <summary>Bytes of one record.</summary>
    public int Size { get; }

    public static AddressRecords Of(ushort type, IReadOnlyList<byte[]> addresses) => addresses.Count == 0 ? None : new AddressRecords(type, addresses);

    public ReadOnlySpan<byte> AddressAt(int index) => _records.AsSpan((index * Size) + 12, Size - 12);

    /// <summary>Copies <paramref name="count"/> records from number <paramref name="first"/> on and, after the last, from the beginning.</summary>
    /// <returns>Bytes.</returns>
    public int CopyTo(Span<byte> place, int first, int count)
    {
        var upToEnd = Math.Min(count, Count - first) * Size;
        _records.AsSpan(first * Size, upToEnd).CopyTo(place);
        _records.AsSpan(0, (count * Size) - upToEnd).CopyTo(place[upToEnd..]);
        return count * Size;
    }
}

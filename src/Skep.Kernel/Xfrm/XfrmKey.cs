using System.Security.Cryptography;

namespace Skep.Kernel.Xfrm;

/// <summary>The key of a state: sixteen bytes for AES-128 and four of salt (RFC 4106, section 8.1). Never printed.</summary>
public sealed class XfrmKey : IEquatable<XfrmKey>
{
    public const int Size = 20;

    private readonly byte[] _bytes;

    public XfrmKey(ReadOnlySpan<byte> bytes) =>
        _bytes = bytes.Length == Size ? bytes.ToArray() : throw new ArgumentException($"a key has {Size} bytes, not {bytes.Length}", nameof(bytes));

    internal ReadOnlySpan<byte> Bytes => _bytes;

    public bool Equals(XfrmKey? other) => other is not null && CryptographicOperations.FixedTimeEquals(_bytes, other._bytes);

    public override bool Equals(object? obj) => Equals(obj as XfrmKey);

    public override int GetHashCode() => 0;

    public override string ToString() => "(key)";
}

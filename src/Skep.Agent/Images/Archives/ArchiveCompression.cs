using System.IO.Compression;
using Skep.Model.Errors;

namespace Skep.Agent.Images.Archives;

/// <summary>What a stream of layers is packed with, told by its first bytes.</summary>
internal static class ArchiveCompression
{
    public const int MagicLength = 6;

    /// <summary>The stream as a plain one. Only what is in .NET is unpacked; others are refused with their name.</summary>
    public static async Task<Stream> OpenAsync(Stream source, CancellationToken cancellationToken)
    {
        var magic = new byte[MagicLength];
        var read = await source.ReadAtLeastAsync(magic, magic.Length, throwOnEndOfStream: false, cancellationToken);
        var whole = new PrefixedStream(magic.AsMemory(0, read), source);
        return Name(magic.AsSpan(0, read)) switch
        {
            "" => whole,
            "gzip" => new GZipStream(whole, CompressionMode.Decompress),
            var other => throw ClusterException.Invalid($"the archive is compressed with {other}; give it plain or with gzip"),
        };
    }

    /// <summary>gzip, zstd, xz, bzip2, or empty.</summary>
    public static string Name(ReadOnlySpan<byte> magic) => magic switch
    {
        [0x1f, 0x8b, ..] => "gzip",
        [0x28, 0xb5, 0x2f, 0xfd, ..] => "zstd",
        [0xfd, (byte)'7', (byte)'z', (byte)'X', (byte)'Z', ..] => "xz",
        [(byte)'B', (byte)'Z', (byte)'h', ..] => "bzip2",
        _ => "",
    };
}

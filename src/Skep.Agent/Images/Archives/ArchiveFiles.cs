using System.Formats.Tar;
using Skep.Agent.Images.Content;
using Skep.Model.Errors;

namespace Skep.Agent.Images.Archives;

/// <summary>
/// The files of an image archive, read in one pass: an archive's table of contents may be its last entry. Large files go to the
/// blob store as they come; small ones, up to a bound, are kept in memory until it is known what they are.
/// </summary>
internal sealed class ArchiveFiles
{
    private const int LargestInMemory = 256 * 1024;
    private const long MostInMemory = 32L * 1024 * 1024;
    private const int MostFiles = 100_000;
    private const int MostLinks = 8;
    private const int LongestDocument = 16 * 1024 * 1024;

    private readonly IBlobStore _blobs;
    private readonly Dictionary<string, ArchiveFile> _files = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _links = new(StringComparer.Ordinal);
    private long _inMemory;

    private ArchiveFiles(IBlobStore blobs) => _blobs = blobs;

    public static async Task<ArchiveFiles> ReadAsync(Stream archive, IBlobStore blobs, CancellationToken cancellationToken)
    {
        var files = new ArchiveFiles(blobs);
        try
        {
            await using var plain = await ArchiveCompression.OpenAsync(archive, cancellationToken);
            await using var reader = new TarReader(plain, leaveOpen: true);
            while (await reader.GetNextEntryAsync(copyData: false, cancellationToken) is { } entry)
            {
                await files.AddAsync(entry, cancellationToken);
            }
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException or FormatException)
        {
            throw new ClusterException(ErrorKind.InvalidArgument, "the archive cannot be read: " + e.Message, e);
        }
        return files;
    }

    /// <summary>Null when there is no such file. Links are followed.</summary>
    public ArchiveFile? Find(string path)
    {
        var name = Normalised(path);
        for (var i = 0; i < MostLinks; i++)
        {
            if (_files.TryGetValue(name, out var file))
            {
                return file;
            }
            if (!_links.TryGetValue(name, out var next))
            {
                return null;
            }
            name = next;
        }
        return null;
    }

    /// <summary>A file's bytes, for documents; InvalidArgument when there is no such file.</summary>
    public async Task<ReadOnlyMemory<byte>> ReadAsync(string path, CancellationToken cancellationToken)
    {
        var file = Find(path) ?? throw ClusterException.Invalid($"the archive has no file {path}");
        if (file.Bytes is { } bytes)
        {
            return bytes;
        }
        return file.Size <= LongestDocument
            ? await _blobs.ReadDocumentAsync(file.Digest!, cancellationToken)
            : throw ClusterException.Invalid($"the archive's file {path} is too long");
    }

    /// <summary>Sees to it that a file is in the blob store, and returns its digest and size.</summary>
    public async Task<(string Digest, long Size)> StoreAsync(string path, CancellationToken cancellationToken)
    {
        var file = Find(path) ?? throw ClusterException.Invalid($"the archive has no file {path}");
        return (file.Digest ?? await _blobs.PutAsync(file.Bytes!.Value, cancellationToken), file.Size);
    }

    private async Task AddAsync(TarEntry entry, CancellationToken cancellationToken)
    {
        var name = Normalised(entry.Name);
        if (entry.EntryType is TarEntryType.SymbolicLink)
        {
            var folder = name.LastIndexOf('/') is >= 0 and var slash ? name[..slash] : "";
            _links[name] = entry.LinkName.StartsWith('/') ? Normalised(entry.LinkName) : Normalised($"{folder}/{entry.LinkName}");
            return;
        }
        if (entry.EntryType is TarEntryType.HardLink)
        {
            _links[name] = Normalised(entry.LinkName);
            return;
        }
        if (entry.EntryType is not (TarEntryType.RegularFile or TarEntryType.V7RegularFile or TarEntryType.ContiguousFile))
        {
            return;
        }
        if (_files.Count == MostFiles)
        {
            throw ClusterException.Invalid($"the archive has more than {MostFiles} files; it is no image archive");
        }
        var content = entry.DataStream ?? Stream.Null;
        if (entry.Length <= LargestInMemory && _inMemory + entry.Length <= MostInMemory)
        {
            var bytes = new byte[entry.Length];
            await content.ReadExactlyAsync(bytes, cancellationToken);
            _inMemory += bytes.Length;
            _files[name] = new ArchiveFile(bytes.Length, bytes.AsSpan(0, Math.Min(bytes.Length, ArchiveCompression.MagicLength)).ToArray()) { Bytes = bytes };
            return;
        }
        var magic = new byte[ArchiveCompression.MagicLength];
        await content.ReadExactlyAsync(magic, cancellationToken);
        await using var whole = new PrefixedStream(magic, content);
        var (digest, size) = await _blobs.PutAsync(whole, cancellationToken);
        _files[name] = new ArchiveFile(size, magic) { Digest = digest };
    }

    private static string Normalised(string path)
    {
        var parts = new List<string>();
        foreach (var part in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            if (part == "..")
            {
                if (parts.Count > 0)
                {
                    parts.RemoveAt(parts.Count - 1);
                }
            }
            else if (part != ".")
            {
                parts.Add(part);
            }
        }
        return string.Join('/', parts);
    }
}

/// <summary>Either its bytes are here, or it is in the blob store under its digest.</summary>
/// <param name="Magic">Its first bytes.</param>
internal sealed record ArchiveFile(long Size, byte[] Magic)
{
    public ReadOnlyMemory<byte>? Bytes { get; init; }

    public string? Digest { get; init; }
}

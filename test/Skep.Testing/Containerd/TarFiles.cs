using System.Formats.Tar;
using System.Text;

namespace Skep.Testing.Containerd;

/// <summary>Small archives made by hand.</summary>
public static class TarFiles
{
    public static byte[] Of(params (string Name, string Content)[] files) => Of([.. files.Select(file => (file.Name, Encoding.UTF8.GetBytes(file.Content)))]);

    public static byte[] Of(params (string Name, byte[] Content)[] files)
    {
        using var buffer = new MemoryStream();
        using (var tar = new TarWriter(buffer, TarEntryFormat.Pax, leaveOpen: true))
        {
            foreach (var (name, content) in files)
            {
                using var data = new MemoryStream(content);
                tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, name) { ModificationTime = DateTimeOffset.UnixEpoch, DataStream = data });
            }
        }
        return buffer.ToArray();
    }

    public static async Task<Dictionary<string, byte[]>> ReadAsync(Stream archive)
    {
        var files = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        await using var reader = new TarReader(archive);
        while (await reader.GetNextEntryAsync() is { } entry)
        {
            using var content = new MemoryStream();
            if (entry.DataStream is { } data)
            {
                await data.CopyToAsync(content);
            }
            files[entry.Name] = content.ToArray();
        }
        return files;
    }
}

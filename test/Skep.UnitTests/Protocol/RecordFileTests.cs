using Skep.Protocol.Records;

namespace Skep.UnitTests.Protocol;

public sealed class RecordFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("skep-record-").FullName;

    [Fact]
    public void A_file_is_replaced_whole_and_is_its_owners_alone()
    {
        var path = Path.Combine(_folder, "deep", "record");
        Assert.Null(RecordFile.Read(path));

        RecordFile.Write(path, "one"u8);
        File.WriteAllText(path + ".new", "what a daemon that died left behind");
        RecordFile.Write(path, "two"u8);

        Assert.Equal("two"u8.ToArray(), RecordFile.Read(path));
        Assert.Equal(RecordFile.Private, File.GetUnixFileMode(path));
        Assert.Single(Directory.GetFiles(Path.GetDirectoryName(path)!));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}

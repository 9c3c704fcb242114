using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Skep.Agent.Logs;

namespace Skep.UnitTests.Agent.Logs;

public sealed class JsonFileLogTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("skep-log-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Lines_keep_order_stream_and_bytes()
    {
        using var log = Open();
        Write(log, "a \"quoted\" \\ line\nhalf", LogSource.Stdout);
        Write(log, "oops\n", LogSource.Stderr);
        Write(log, " done\nä€\u0001\n", LogSource.Stdout);
        log.Append(LogSource.Stdout, [0xFF, (byte)'\n']);
        log.Complete();
        Assert.Equal(["a \"quoted\" \\ line\n", "oops\n", "half done\n", "ä€\u0001\n", "\uFFFD\n"], await ReadAsync(log, new LogQuery()));
        Assert.Equal(["oops\n"], await ReadAsync(log, new LogQuery { Stdout = false }));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead, File.GetUnixFileMode(LogPath));
    }

    [Fact]
    public async Task A_long_line_is_kept_in_pieces_and_the_last_one_without_its_end()
    {
        using var log = Open();
        Write(log, new string('x', 40_000), LogSource.Stdout);
        log.Complete();
        Assert.Equal([16384, 16384, 40_000 - 32768], (await ReadAsync(log, new LogQuery())).Select(l => l.Length));
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 1)]
    [InlineData(7, 7)]
    [InlineData(5000, 5000)]
    [InlineData(99999, 20000)]
    public async Task Tail_counts_from_the_end(int tail, int expected)
    {
        using var log = Open();
        Write(log, string.Concat(Enumerable.Range(1, 20_000).Select(i => $"line {i}\n")), LogSource.Stdout);
        var lines = await ReadAsync(log, new LogQuery { Tail = tail });
        Assert.Equal(expected, lines.Count);
        Assert.True(expected == 0 || lines[^1] == "line 20000\n");
    }

    [Fact]
    public async Task Rotation_keeps_the_newest_files_and_tail_reaches_across_them()
    {
        using var log = Open(new LogOptions(true, 2000, 3));
        for (var i = 1; i <= 200; i++)
        {
            Write(log, $"line {i}\n", LogSource.Stdout);
        }

        Assert.True(File.Exists(LogPath + ".2"));
        Assert.False(File.Exists(LogPath + ".3"));
        var all = await ReadAsync(log, new LogQuery());
        Assert.Equal("line 200\n", all[^1]);
        Assert.InRange(all.Count, 50, 120);
        Assert.Equal(all[^45..], await ReadAsync(log, new LogQuery { Tail = 45 }));
    }

    [Fact]
    public async Task A_follower_loses_nothing_across_rotations_and_ends_with_the_container()
    {
        using var log = Open(new LogOptions(true, 500, 1));
        var following = ReadAsync(log, new LogQuery { Follow = true, Tail = 0 });
        for (var i = 1; i <= 500; i++)
        {
            Write(log, $"line {i}\n", LogSource.Stdout);
        }

        log.Complete();
        var seen = await following;
        Assert.Equal(Enumerable.Range(1, 500).Select(i => $"line {i}\n"), seen);
    }

    [Fact]
    public async Task A_torn_record_hides_nothing_else()
    {
        File.WriteAllText(LogPath, "{\"log\":\"torn\n{\"log\":\"whole\\n\",\"stream\":\"stdout\",\"time\":\"2026-01-02T03:04:05.123456789Z\"}\n");
        using var log = new JsonFileLog(LogPath, new LogOptions(true, 0, 1), TimeProvider.System, NullLogger.Instance);
        Assert.Equal(["whole\n"], await ReadAsync(log, new LogQuery()));
        Assert.Empty(await ReadAsync(log, new LogQuery { Since = new DateTimeOffset(2026, 1, 2, 3, 4, 6, TimeSpan.Zero) }));
        Assert.Empty(await ReadAsync(log, new LogQuery { Until = new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero) }));
    }

    private string LogPath => Path.Combine(_folder, "x-json.log");

    private static void Write(JsonFileLog log, string text, LogSource source) => log.Append(source, Encoding.UTF8.GetBytes(text));

    private static async Task<List<string>> ReadAsync(JsonFileLog log, LogQuery query)
    {
        var lines = new List<string>();
        await foreach (var entry in log.ReadAsync(query, new CancellationTokenSource(TimeSpan.FromSeconds(10)).Token))
        {
            lines.Add(Encoding.UTF8.GetString(entry.Line.Span));
        }

        return lines;
    }

    private JsonFileLog Open(LogOptions? options = null)
    {
        var log = new JsonFileLog(LogPath, options ?? new LogOptions(true, 0, 1), TimeProvider.System, NullLogger.Instance);
        log.Open();
        return log;
    }
}

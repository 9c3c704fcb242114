using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Skep.Agent.Logs;

/// <summary>One line of a json-file log: <c>{"log":"text\n","stream":"stdout","time":"RFC 3339"}</c>.</summary>
internal static class JsonFileRecord
{
    public static void Write(IBufferWriter<byte> output, LogSource source, ReadOnlySpan<byte> line, ReadOnlySpan<byte> time)
    {
        output.Write("{\"log\":\""u8);
        WriteEscaped(output, line);
        output.Write(source == LogSource.Stdout ? "\",\"stream\":\"stdout\",\"time\":\""u8 : "\",\"stream\":\"stderr\",\"time\":\""u8);
        output.Write(time);
        output.Write("\"}\n"u8);
    }

    /// <summary>RFC 3339 in UTC with seven digits of the second.</summary>
    public static int FormatTime(DateTimeOffset time, Span<byte> text)
    {
        _ = Utf8Formatter.TryFormat(time.UtcDateTime, text, out var count, new StandardFormat('O'));
        return count;
    }

    /// <summary>False for a line that is torn or not ours; it is skipped, as one lost line must not hide the rest.</summary>
    public static bool TryRead(ReadOnlySpan<byte> json, out LogEntry entry)
    {
        entry = default;
        var reader = new Utf8JsonReader(json);
        var (line, source, time) = ((byte[]?)null, LogSource.Stdout, DateTimeOffset.MinValue);
        try
        {
            _ = reader.Read();
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                if (reader.ValueTextEquals("log"u8))
                {
                    reader.Read();
                    line = Unescape(ref reader);
                }
                else if (reader.ValueTextEquals("stream"u8))
                {
                    reader.Read();
                    source = reader.ValueTextEquals("stderr"u8) ? LogSource.Stderr : LogSource.Stdout;
                }
                else if (reader.ValueTextEquals("time"u8))
                {
                    reader.Read();
                    // Others write nine digits of the second; those beyond the seventh are dropped by the parser.
                    time = DateTimeOffset.Parse(Trim(reader.GetString()!), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);
                }
                else
                {
                    reader.Read();
                    reader.Skip();
                }
            }
        }
        catch (Exception error) when (error is JsonException or FormatException or InvalidOperationException)
        {
            return false;
        }

        entry = line is null ? default : new LogEntry(time, source, line);
        return line is not null;
    }

    private static byte[] Unescape(ref Utf8JsonReader reader)
    {
        if (!reader.ValueIsEscaped)
        {
            return reader.ValueSpan.ToArray();
        }

        var bytes = new byte[reader.ValueSpan.Length];
        var count = reader.CopyString(bytes);
        Array.Resize(ref bytes, count);
        return bytes;
    }

    private static string Trim(string time)
    {
        var dot = time.IndexOf('.', StringComparison.Ordinal);
        if (dot < 0)
        {
            return time;
        }

        var end = dot + 1;
        while (end < time.Length && char.IsAsciiDigit(time[end]))
        {
            end++;
        }

        return end - dot > 8 ? string.Concat(time.AsSpan(0, dot + 8), time.AsSpan(end)) : time;
    }

    private static void WriteEscaped(IBufferWriter<byte> output, ReadOnlySpan<byte> text)
    {
        while (text.Length > 0)
        {
            var plain = 0;
            while (plain < text.Length && text[plain] is >= 0x20 and < 0x80 and not (byte)'"' and not (byte)'\\')
            {
                plain++;
            }

            output.Write(text[..plain]);
            text = text[plain..];
            if (text.Length > 0)
            {
                text = text[WriteSpecial(output, text)..];
            }
        }
    }

    private static int WriteSpecial(IBufferWriter<byte> output, ReadOnlySpan<byte> text)
    {
        var first = text[0];
        if (first < 0x80)
        {
            var escaped = first switch
            {
                (byte)'\n' => "\\n"u8,
                (byte)'\r' => "\\r"u8,
                (byte)'\t' => "\\t"u8,
                (byte)'"' => "\\\""u8,
                (byte)'\\' => "\\\\"u8,
                _ => default,
            };
            if (escaped.IsEmpty)
            {
                Span<byte> code = [(byte)'\\', (byte)'u', (byte)'0', (byte)'0', Hex(first >> 4), Hex(first & 15)];
                output.Write(code);
            }

            output.Write(escaped);
            return 1;
        }

        // JSON is UTF-8: what is not becomes the replacement character.
        var status = Rune.DecodeFromUtf8(text, out _, out var count);
        output.Write(status == OperationStatus.Done ? text[..count] : "\uFFFD"u8);
        return Math.Max(count, 1);
    }

    private static byte Hex(int digit) => (byte)(digit < 10 ? '0' + digit : 'a' + digit - 10);
}

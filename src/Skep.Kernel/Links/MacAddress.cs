using System.Globalization;

namespace Skep.Kernel.Links;

/// <summary>Ethernet addresses as text: six pairs of small hexadecimal digits with colons, as <c>ip</c> prints them.</summary>
public static class MacAddress
{
    private const int Length = 6;

    /// <exception cref="FormatException">The text is no Ethernet address.</exception>
    public static byte[] Parse(string text)
    {
        var bytes = new byte[Length];
        var index = 0;
        foreach (var part in text.AsSpan().Split(':'))
        {
            var (start, end) = (part.Start.Value, part.End.Value);
            if (index == Length || end - start != 2 || !byte.TryParse(text.AsSpan(start, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out bytes[index++]))
            {
                index = -1;
                break;
            }
        }

        return index == Length ? bytes : throw new FormatException($"'{text}' is not an Ethernet address.");
    }

    public static string Format(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty)
        {
            return "";
        }

        return string.Create(bytes.Length * 3 - 1, bytes, static (text, source) =>
        {
            text.Fill(':');
            for (var i = 0; i < source.Length; i++)
            {
                source[i].TryFormat(text[(i * 3)..], out _, "x2", CultureInfo.InvariantCulture);
            }
        });
    }
}

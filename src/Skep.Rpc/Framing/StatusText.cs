using System.Globalization;
using System.Text;

namespace Skep.Rpc.Framing;

/// <summary>The form of <c>grpc-message</c>: UTF-8 with everything but printable ASCII percent-encoded.</summary>
internal static class StatusText
{
    public static string Encode(string message)
    {
        var text = new StringBuilder(message.Length);
        foreach (var b in Encoding.UTF8.GetBytes(message))
        {
            if (b is >= 0x20 and <= 0x7e and not (byte)'%')
            {
                text.Append((char)b);
            }
            else
            {
                text.Append(CultureInfo.InvariantCulture, $"%{b:X2}");
            }
        }

        return text.ToString();
    }

    /// <summary>What is no valid encoding is shown as it came.</summary>
    public static string Decode(string text) => text.Contains('%') ? Uri.UnescapeDataString(text) : text;
}

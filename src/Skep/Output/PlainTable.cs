using System.Text;

namespace Skep.Output;

/// <summary>Docker's way to print a list: columns padded with three spaces, no lines, so that awk can read it.</summary>
internal static class PlainTable
{
    private const int Gap = 3;

    public static string Render(IReadOnlyList<string> header, IReadOnlyList<IReadOnlyList<string>> rows)
    {
        var lines = rows.Prepend(header).ToList();
        var widths = header.Select((_, column) => lines.Max(line => line[column].Length) + Gap).ToArray();
        var text = new StringBuilder();
        foreach (var line in lines)
        {
            var row = string.Concat(line.Select((cell, column) => cell.PadRight(widths[column])));
            text.Append(row.TrimEnd()).Append('\n');
        }

        return text.ToString();
    }
}

using System.Globalization;
using System.Text;

namespace Skep.Bench.Measuring;

/// <summary>The table as Markdown: Skep's figures, the peer's beside them, the ratio of the medians, the bar and whether it is reached.</summary>
internal static class FigureTable
{
    private static readonly string[] s_heads = ["what", "unit", "Skep", "min … max", "peer", "min … max", "Skep ÷ peer", "bar", ""];

    public static string Print(IReadOnlyList<Figure> skep, IReadOnlyList<Figure> peer)
    {
        var peers = peer.ToDictionary(figure => figure.Name, StringComparer.Ordinal);
        List<string[]> rows = [s_heads, [.. s_heads.Select(_ => "---")]];
        rows.AddRange(skep.Select(figure => Row(figure, peers.GetValueOrDefault(figure.Name))));
        var names = skep.Select(figure => figure.Name).ToHashSet(StringComparer.Ordinal);
        rows.AddRange(peer.Where(figure => !names.Contains(figure.Name)).Select(figure => PeerOnly(figure)));

        var widths = Enumerable.Range(0, s_heads.Length).Select(column => rows.Max(row => row[column].Length)).ToArray();
        var text = new StringBuilder();
        foreach (var row in rows)
        {
            text.Append("| ").AppendJoin(" | ", row.Select((cell, column) => cell.PadRight(widths[column]))).Append(" |\n");
        }

        return text.ToString();
    }

    private static string[] Row(Figure figure, Figure? peer) =>
    [
        figure.Name, figure.Unit, Show(figure.Sample.Median), Range(figure.Sample),
        peer is null ? "–" : Show(peer.Sample.Median), peer is null ? "–" : Range(peer.Sample),
        peer is null or { Sample.Median: 0 } ? "–" : Show(figure.Sample.Median / peer.Sample.Median),
        figure.Bar is null ? "" : (figure.Bar.IsCeiling ? "≤ " : "≥ ") + Show(figure.Bar.Value),
        figure.Bar is null ? "" : figure.Bar.IsReachedBy(figure.Sample.Median) ? "reached" : "missed",
    ];

    private static string[] PeerOnly(Figure figure) =>
        [figure.Name, figure.Unit, "–", "–", Show(figure.Sample.Median), Range(figure.Sample), "–", "", ""];

    private static string Range(Sample sample) => $"{Show(sample.Least)} … {Show(sample.Most)}";

    private static string Show(double value) => value switch
    {
        >= 1000 => Math.Round(value).ToString("### ### ##0", CultureInfo.InvariantCulture).Trim(),
        >= 100 => value.ToString("0", CultureInfo.InvariantCulture),
        >= 10 => value.ToString("0.0", CultureInfo.InvariantCulture),
        >= 1 => value.ToString("0.00", CultureInfo.InvariantCulture),
        _ => value.ToString("0.000", CultureInfo.InvariantCulture),
    };
}

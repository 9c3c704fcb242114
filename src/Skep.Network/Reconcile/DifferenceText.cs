using System.Globalization;
using System.Runtime.CompilerServices;

namespace Skep.Network.Reconcile;

/// <summary>The words of a difference, put together only when somebody is to read them: a full resync has a hundred thousand differences.</summary>
[InterpolatedStringHandler]
internal ref struct DifferenceText
{
    private DefaultInterpolatedStringHandler _text;

    public DifferenceText(int literalLength, int formattedCount, SpacePass pass, out bool isTold)
    {
        IsTold = isTold = pass.Tells;
        _text = isTold ? new DefaultInterpolatedStringHandler(literalLength, formattedCount, CultureInfo.InvariantCulture) : default;
    }

    public bool IsTold { get; }

    public void AppendLiteral(string value) => _text.AppendLiteral(value);

    public void AppendFormatted<T>(T value) => _text.AppendFormatted(value);

    public string ToStringAndClear() => _text.ToStringAndClear();
}

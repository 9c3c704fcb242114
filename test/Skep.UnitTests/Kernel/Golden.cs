namespace Skep.UnitTests.Kernel;

/// <summary>Compares netlink bytes with hexadecimal text; blanks and bars only help to read it. Numbers are little-endian.</summary>
internal static class Golden
{
    public static void Check(string expected, ReadOnlySpan<byte> actual) =>
        Assert.Equal(string.Concat(expected.Split([' ', '|', '\n', '\r'], StringSplitOptions.RemoveEmptyEntries)), Convert.ToHexString(actual));
}

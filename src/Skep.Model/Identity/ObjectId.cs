using System.Numerics;
using System.Security.Cryptography;

namespace Skep.Model.Identity;

/// <summary>Identifiers of cluster objects: 25 characters of lower-case base 36, from 17 random bytes, as the Engine API's clients know them.</summary>
public static class ObjectId
{
    public const int Length = 25;
    private const string Digits = "0123456789abcdefghijklmnopqrstuvwxyz";

    /// <summary>A new identifier that nobody else has.</summary>
    public static string New()
    {
        Span<byte> random = stackalloc byte[17];
        RandomNumberGenerator.Fill(random);
        // The top bit is set so that every number has 27 digits; the first two carry no entropy worth keeping.
        random[0] |= 0x80;
        var number = new BigInteger(random, isUnsigned: true, isBigEndian: true);
        return Base36(number, 27)[2..];
    }

    /// <summary><paramref name="number"/> in base 36, padded with zeros on the left to <paramref name="width"/> digits.</summary>
    public static string Base36(BigInteger number, int width)
    {
        var text = new char[width];
        for (var i = width - 1; i >= 0; i--)
        {
            number = BigInteger.DivRem(number, 36, out var digit);
            text[i] = Digits[(int)digit];
        }

        return new string(text);
    }

    public static bool IsValid(string text) => text.Length == Length && text.All(c => c is (>= '0' and <= '9') or (>= 'a' and <= 'z'));
}

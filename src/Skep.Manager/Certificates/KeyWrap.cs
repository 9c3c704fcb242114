using System.Security.Cryptography;
using Skep.Model.Errors;

namespace Skep.Manager.Certificates;

/// <summary>Values that must not lie in the clear: AES-256-GCM, written as nonce (12 bytes), tag (16), cipher text.</summary>
public static class KeyWrap
{
    public const int KeySize = 32;
    private const int NonceSize = 12;
    private const int TagSize = 16;

    public static byte[] NewKey() => RandomNumberGenerator.GetBytes(KeySize);

    public static byte[] Wrap(ReadOnlySpan<byte> key, ReadOnlySpan<byte> clear)
    {
        var sealedValue = new byte[NonceSize + TagSize + clear.Length];
        RandomNumberGenerator.Fill(sealedValue.AsSpan(0, NonceSize));
        using var cipher = new AesGcm(key, TagSize);
        cipher.Encrypt(sealedValue.AsSpan(0, NonceSize), clear, sealedValue.AsSpan(NonceSize + TagSize), sealedValue.AsSpan(NonceSize, TagSize));
        return sealedValue;
    }

    /// <exception cref="ClusterException">Unauthorized: the key is not the one that it was wrapped with, or the value was changed.</exception>
    public static byte[] Unwrap(ReadOnlySpan<byte> key, ReadOnlySpan<byte> sealedValue)
    {
        if (sealedValue.Length < NonceSize + TagSize)
        {
            throw new ClusterException(ErrorKind.Unauthorized, "the wrapped value is too short");
        }

        var clear = new byte[sealedValue.Length - NonceSize - TagSize];
        using var cipher = new AesGcm(key, TagSize);
        try
        {
            cipher.Decrypt(sealedValue[..NonceSize], sealedValue[(NonceSize + TagSize)..], sealedValue.Slice(NonceSize, TagSize), clear);
        }
        catch (AuthenticationTagMismatchException e)
        {
            throw new ClusterException(ErrorKind.Unauthorized, "the value cannot be opened with this key", e);
        }

        return clear;
    }
}

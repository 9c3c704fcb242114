using System.Buffers.Binary;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Skep.Model.Plans;

namespace Skep.Network.Desired;

/// <summary>
/// Keys of a pair of nodes. Both ends derive them from the shared secret, the two nodes and the sender's generation, so no key is ever
/// used for two directions or two pairs, and a sender that has forgotten where it was in its sequence starts with another key.
/// </summary>
internal static class EspPeers
{
    // SPIs below 256 are reserved (RFC 4303, section 2.1); the kernel gives its own from the lower half.
    private const uint LowestSpi = 0x8000_0000;
    private const int SecretSize = 20;

    /// <summary>Null when it is this node, or cannot take part now: no keys, or no generation of one of the two.</summary>
    public static WantedEspPeer? Of(NodeView node, PlanPeer peer)
    {
        var (facts, own) = (node.Facts, node.Plan.NodeId);
        if (peer.NodeId == own || peer.CipherGeneration is not { Length: > 0 } theirs || facts.CipherGeneration.Length == 0
            || node.Plan.Keyring is not { } ring || Addressing.AddressOf(peer.Vtep) is not { } address
            || address.AddressFamily != facts.Vtep.AddressFamily || ring.Keys.FirstOrDefault(k => k.Id == ring.Sending) is not { } sending)
        {
            return null;
        }

        var here = new End(own, facts.Vtep, facts.CipherGeneration);
        var there = new End(peer.NodeId, address, theirs);
        return new WantedEspPeer(
            facts.Vtep,
            address,
            Derive(sending, here, there).Spi,
            [.. ring.Keys.SelectMany(key => new[] { Derive(key, there, here), Derive(key, here, there) })]);
    }

    private static WantedEspState Derive(PlanKey key, End sender, End receiver)
    {
        var info = Encoding.UTF8.GetBytes(
            $"skep esp 1\n{key.Id}\n{sender.NodeId}\n{sender.Generation}\n{sender.Address}\n{receiver.NodeId}\n{receiver.Address}");
        var bytes = HKDF.DeriveKey(HashAlgorithmName.SHA256, key.Secret, SecretSize + sizeof(uint), info: info);
        return new WantedEspState(
            sender.Address,
            receiver.Address,
            BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(SecretSize)) | LowestSpi,
            new EspSecret(bytes[..SecretSize]))
        {
            KeyId = key.Id,
        };
    }

    private sealed record End(string NodeId, IPAddress Address, string Generation);
}

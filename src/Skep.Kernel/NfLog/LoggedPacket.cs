namespace Skep.Kernel.NfLog;

/// <summary>A packet that a rule told of.</summary>
/// <param name="Prefix">The rule's <c>prefix</c>; empty when it has none.</param>
/// <param name="Bytes">The packet's beginning, from its IP header on.</param>
/// <param name="Overrun">Packets were told faster than they were read, and some are lost. All else is empty.</param>
public sealed record LoggedPacket(string Prefix, byte[] Bytes, bool Overrun = false);

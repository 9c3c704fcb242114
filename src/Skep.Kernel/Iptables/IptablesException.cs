namespace Skep.Kernel.Iptables;

/// <summary>iptables refused a change, or is not on this machine; the message has its own words.</summary>
public sealed class IptablesException(string message, Exception? cause = null) : IOException(message, cause);

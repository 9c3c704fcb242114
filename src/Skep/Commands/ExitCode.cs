namespace Skep.Commands;

/// <summary>What the shell sees. <c>lab exec</c> passes the command's own status on, so its refusals use Docker's 125.</summary>
internal static class ExitCode
{
    public const int Ok = 0;

    /// <summary>The work was understood and could not be done.</summary>
    public const int Failed = 1;

    /// <summary>The command line or the configuration is wrong.</summary>
    public const int Usage = 2;

    /// <summary>The verb needs root. (77 is EX_NOPERM of sysexits.h; the launcher uses it as well.)</summary>
    public const int NotRoot = 77;

    /// <summary><c>lab exec</c> did not get as far as running the command.</summary>
    public const int ExecFailed = 125;

    /// <summary>Ended by Ctrl-C.</summary>
    public const int Interrupted = 130;
}

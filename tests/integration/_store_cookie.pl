#!/usr/bin/perl
# PAGI's Store::Cookie as its page describes it, on Perl's own modules: seals and opens the values that
# come in, a JSON array a line: ["seal" or "open", secret, value].
use v5.36;
use Crypt::AuthEnc::GCM qw(gcm_encrypt_authenticate gcm_decrypt_verify);
use Crypt::PRNG qw(random_bytes);
use Digest::SHA qw(sha256);
use JSON::PP;
use MIME::Base64 qw(encode_base64 decode_base64);

my $json = JSON::PP->new->utf8->canonical->allow_nonref;
$| = 1;

sub seal ($secret, $session) {
    my $iv = random_bytes(12);
    my ($text, $tag) = gcm_encrypt_authenticate('AES', sha256($secret), $iv, '', $json->encode($session));
    return encode_base64($iv . $tag . $text, '');
}

sub open_value ($secret, $value) {
    my $bytes = decode_base64($value);
    return undef if length $bytes < 28;
    my ($iv, $tag, $text) = (substr($bytes, 0, 12), substr($bytes, 12, 16), substr($bytes, 28));
    my $plain = gcm_decrypt_verify('AES', sha256($secret), $iv, '', $text, $tag);
    return defined $plain ? $json->decode($plain) : undef;
}

while (my $line = <STDIN>) {
    my ($verb, $secret, $value) = @{ $json->decode($line) };
    my $answer = $verb eq 'seal' ? seal($secret, $value) : open_value($secret, $value);
    say $json->encode($answer);
}
